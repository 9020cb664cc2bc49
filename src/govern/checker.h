#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "govern/record.h"
#include "repo/repository.h"

namespace holdfast::govern {

// What the server itself found out about a revision: nobody hands these in.
struct CheckedFact {
  std::string kind;          // "licence", "scan", "card"
  boost::json::object body;  // "verdict": pass, fail or review; "why".
};

// Looks at the files of a release once, when it is registered. app/ gives the implementation. Safe from any
// thread.
class Checker {
 public:
  virtual ~Checker() = default;
  virtual Result<std::vector<CheckedFact>> check(const repo::Repository& model, const git::ObjectId& commit,
                                                 const Record& record) = 0;
};

}  // namespace holdfast::govern
