#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "content/hash.h"
#include "git/object_id.h"
#include "repo/repository.h"

namespace holdfast::repo {

// The gate on the path of every download by a token that is bound to an environment (design decision 9): such
// a token fetches approved revisions only, by whatever door. govern/ gives the implementation; doors ask when
// Caller::environment is not empty. Answers policy_refused. Safe from any thread.
class PullGate {
 public:
  virtual ~PullGate() = default;
  virtual Status may_pull(std::string_view environment, const Repository& repository,
                          const git::ObjectId& commit) = 0;
  // A large file, named by its hash: it must be part of an approved revision of this repository.
  virtual Status may_pull(std::string_view environment, const Repository& repository,
                          const content::Sha256Digest& file) = 0;
  // All that may be fetched, what git shows as main first. Empty: nothing.
  struct Approved {
    std::string name;  // "release-2"
    git::ObjectId commit;
  };
  virtual Result<std::vector<Approved>> approved(std::string_view environment,
                                                 const Repository& repository) = 0;
};

}  // namespace holdfast::repo
