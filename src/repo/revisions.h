#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"
#include "repo/publisher.h"
#include "repo/repository.h"
#include "repo/storage.h"

namespace holdfast::repo {

struct Revision {
  git::ObjectId commit;
  std::string ref;  // Full name; empty when a commit was named.
};

// What a client calls a revision: a branch ("main"), a tag, a full ref ("refs/pr/1", "refs/convert/parquet"),
// a commit or 4 to 39 of its first digits. Branches win over tags of the same name. revision_not_found with
// the text clients know ("Invalid rev id: x").
Result<Revision> find_revision(Publisher& publisher, const git::Repository& objects, RepoId repository,
                               std::string_view name);

// The same for who asks at every request: opens the repository only for what no ref names, and for a ref's
// target that it has not seen yet (what an object is never changes). Safe from any thread.
class Revisions {
 public:
  Revisions(Publisher& publisher, const Storage& storage) : publisher_(publisher), storage_(storage) {}
  Result<Revision> find(RepoId repository, std::string_view name);

 private:
  static constexpr size_t targets_max = 4096;
  Publisher& publisher_;
  const Storage& storage_;
  std::mutex mutex_;                                                    // Guards targets_.
  std::map<std::pair<int64_t, git::ObjectId>, git::ObjectId> targets_;  // The commit that a target leads to.
};

// The full name of the branch a write goes to: "main" or "refs/heads/main" or "refs/pr/N". Does not look
// whether it exists; bad_request when it is no possible branch.
Result<std::string> branch_ref(std::string_view name);

bool is_pull_request_ref(std::string_view ref);  // refs/pr/N

}  // namespace holdfast::repo
