#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "content/store.h"
#include "git/object_id.h"
#include "git/refs.h"
#include "git/repository.h"
#include "identity/caller.h"
#include "repo/repository.h"
#include "repo/storage.h"
#include "sql/kept_reads.h"

namespace holdfast::identity {
class Audit;
}
namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::repo {

class CardIndex;

inline constexpr std::string_view main_ref = "refs/heads/main";

// Zero `before`: the ref must not exist. Zero `after`: delete it.
struct RefMove {
  std::string ref;
  git::ObjectId before, after;
};

struct HeldFile {
  content::FileInfo file;
  std::string path;
};

// What one decision about refs brings along; all of it happens or none.
struct Publication {
  std::string kind;  // Of the events: "commit", "push", "branch_created", "merge" …
  std::vector<RefMove> moves;
  std::vector<HeldFile> files;                    // That the repository holds from now on.
  std::function<Status(sql::Transaction&)> more;  // Further rows of the same decision; may be empty.
};

// The one way by which refs move, for commits over HTTP, pushes, merges and branches alike. Order: objects
// are durable already → one SQL transaction (compare-and-set of each ref, events, audit line, held files,
// card) → projection to refs on disk. A crash before the last step is repaired at start. Safe from any
// thread.
class Publisher {
 public:
  Publisher(sql::Database& database, Storage& storage, CardIndex& cards, identity::Audit& audit,
            const Clock& clock, Log& log)
      : database_(database),
        storage_(storage),
        cards_(cards),
        audit_(audit),
        clock_(clock),
        log_(log),
        found_(database) {}

  // stale_parent when a ref is not at `before`.
  Status publish(const Storage::Lock& lock, const identity::Caller& caller, const Repository& repository,
                 const git::Repository& objects, const Publication& publication);

  // Refs as SQL has them.
  Result<std::vector<git::Ref>> refs(RepoId repository);
  Result<std::optional<git::ObjectId>> ref(RepoId repository, std::string_view name);

  // Makes the refs of every repository on disk those of SQL; returns how many had to change.
  Result<size_t> repair();

 private:
  Status move(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository,
              const Publication& publication);
  Result<std::optional<git::ObjectId>> read_ref(RepoId repository, std::string_view name);

  sql::Database& database_;
  Storage& storage_;
  CardIndex& cards_;
  identity::Audit& audit_;
  const Clock& clock_;
  Log& log_;
  sql::KeptReads<std::pair<int64_t, std::string>, std::optional<git::ObjectId>> found_;  // Refs.
};

}  // namespace holdfast::repo
