#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"
#include "repo/repository.h"
#include "sql/kept_reads.h"

namespace holdfast::identity {
class Audit;
}
namespace holdfast::sql {
class Database;
class Row;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::repo {

class Publisher;
class Rights;
class Storage;

struct NewRepository {
  RepoType type = RepoType::model;
  std::string ns, name;
  Visibility visibility = Visibility::public_;
  std::string sdk;  // Of a space.
};

// Absent members stay as they are.
struct RepositoryChange {
  std::optional<Visibility> visibility;
  std::optional<Gate> gate;
};

// The life of repositories: created with a first commit, found, moved, changed, deleted. Rights are checked
// here for what depends on a namespace (create, move), by the caller for the rest. Safe from any thread.
class Repositories {
 public:
  Repositories(sql::Database& database, Storage& storage, Publisher& publisher, Rights& rights,
               identity::Audit& audit, const Clock& clock)
      : database_(database),
        storage_(storage),
        publisher_(publisher),
        rights_(rights),
        audit_(audit),
        clock_(clock),
        found_(database) {}

  // forbidden in a namespace the caller may not create in; already_exists when the place is taken, whatever
  // the case of its letters.
  Result<Repository> create(const identity::Caller& caller, const NewRepository& wish);
  // Names are found whatever their case; nullopt when there is none.
  Result<std::optional<Repository>> find(RepoType type, std::string_view ns, std::string_view name);
  Result<std::optional<Repository>> find(RepoId id);
  // Where a repository that was at this place lies now.
  Result<std::optional<Repository>> find_moved(RepoType type, std::string_view ns, std::string_view name);

  // A tombstone stays at its place, and at those that led to it, until somebody creates there.
  Status remove(const identity::Caller& caller, const Repository& repository);
  // The same to everybody, but its content stays for what pinned it (Repository::deleted), until `remove`.
  Status retire(const identity::Caller& caller, const Repository& repository);
  // Those that are retired.
  Result<std::vector<Repository>> retired();
  // The old place redirects from then on, until somebody creates there.
  Result<Repository> move(const identity::Caller& caller, const Repository& repository, const RepoName& to);
  Status change(const identity::Caller& caller, const Repository& repository, const RepositoryChange& change);

 private:
  using Details = std::vector<std::pair<std::string, std::string>>;

  Result<RepoId> insert(const identity::Caller& caller, const NewRepository& wish);
  Status first_commit(const identity::Caller& caller, const Repository& repository);
  Result<std::optional<Repository>> find_where(std::string_view condition, std::string_view text, int64_t id);
  // What cards name it is told, in the words of the audit log, from which webhooks hear of it.
  Status warn_dependants(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository);
  Status audit(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository,
               std::string_view action, Details details = {});

  sql::Database& database_;
  Storage& storage_;
  Publisher& publisher_;
  Rights& rights_;
  identity::Audit& audit_;
  const Clock& clock_;
  sql::KeptReads<std::string, std::optional<Repository>> found_;  // By place.
};

// The columns of repo_repositories in the order read_repository expects.
extern const std::string_view repository_columns;
Repository read_repository(const sql::Row& row);
// Key of repo_repositories.place.
std::string place_of(RepoType type, std::string_view ns, std::string_view name);

std::string_view visibility_name(Visibility visibility);  // "public"
std::optional<Visibility> visibility_of_name(std::string_view name);
std::string_view gate_name(Gate gate);  // "auto"; "none" for none.
std::optional<Gate> gate_of_name(std::string_view name);

}  // namespace holdfast::repo
