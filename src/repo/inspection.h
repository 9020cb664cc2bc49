#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::sql {
class Database;
}
namespace holdfast::content {
class Store;
}

namespace holdfast::repo {

class Storage;

// Something that is not as it was acknowledged.
struct Finding {
  std::string
      what;  // "git_object", "ref_lost", "ref_not_projected", "object_lost", or a word of content::Damage.
  std::string place;   // "model:ns/name", or "content".
  std::string detail;  // The ref, the object, what git says.
};

struct Inspection {
  uint64_t repositories = 0, refs = 0, objects = 0, xorbs = 0, bytes = 0;
  std::vector<Finding> findings;  // The first 10,000.
  bool clean() const { return findings.empty(); }
};

struct InspectionParts {
  sql::Database& database;
  Storage& storage;
  content::Store& content;
  io::Path git_program;
  const Clock& clock;
};

// Reads everything again, beside a running server: every git object, every ref against its commit and its
// projection, every large file a repository holds, every chunk of the content store. `each` hears the name of
// each place. Not ok only when it could not go on.
Result<Inspection> inspect(const InspectionParts& parts,
                           const std::function<void(const std::string& place)>& each);

}  // namespace holdfast::repo
