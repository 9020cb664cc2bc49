#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "govern/record.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::repo {
struct Hub;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

// What a release freezes (design decision 15): revision of the model, digests of tokenizer, prompt and
// configuration, preprocessing, version of the program. Safe from any thread.
class ReleaseParts {
 public:
  ReleaseParts(repo::Hub& hub, sql::Database& database, std::string program_version)
      : hub_(hub), database_(database), program_version_(std::move(program_version)) {}

  struct Revision {
    repo::Repository model;
    git::ObjectId commit;
  };
  // revision_not_found, or not_found for a model that is gone.
  Result<Revision> find(const Record& record, std::string_view revision) const;
  Result<boost::json::object> parts(const Revision& revision, const Record& record) const;
  // SHA-256 of a file of the revision, in hexadecimal; empty when there is none.
  Result<std::string> file_digest(const repo::Repository& model, const git::ObjectId& commit,
                                  std::string_view path) const;
  // bad_request unless the caller sees the data set here and it has this commit.
  Status check_dataset(const identity::Caller& caller, std::string_view name, std::string_view commit) const;
  // The users who pushed this revision.
  Result<std::vector<std::string>> pushers(const Revision& revision) const;

 private:
  repo::Hub& hub_;
  sql::Database& database_;
  std::string program_version_;
};

}  // namespace holdfast::govern
