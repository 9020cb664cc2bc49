#include "repo/repositories.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "git/attributes.h"
#include "git/commit_write.h"
#include "identity/audit.h"
#include "repo/author.h"
#include "repo/creation.h"
#include "repo/publisher.h"
#include "repo/rights.h"
#include "repo/storage.h"
#include "repo/tombstones.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

// Tables whose rows are a repository's own.
constexpr auto own_tables = std::to_array<std::string_view>(
    {"repo_refs", "repo_verdicts", "repo_objects", "repo_cards", "repo_tags", "repo_likes",
     "repo_gate_requests", "repo_discussions", "repo_discussion_events", "repo_redirects",
     "repo_held_releases", "repo_clearances", "repo_masking_jobs"});

// Of the column `disabled`.
constexpr int64_t disabled_value = 1, deleted_value = 2;
constexpr int64_t dependants_max = 1000;

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }

std::string space_readme(const Repository& repository) {
  return fmt::format("---\ntitle: {}\nsdk: {}\n---\n", repository.name, repository.sdk);
}

Result<git::ObjectId> write_first_commit(const Repository& repository, git::Repository& objects,
                                         const git::Signature& author) {
  const std::string_view attributes = repository.type == RepoType::dataset ? git::default_dataset_attributes()
                                                                           : git::default_model_attributes();
  TRY(const git::ObjectId blob, objects.write_blob(as_bytes(attributes)));
  std::vector<git::Change> changes = {git::PutFile{.path = ".gitattributes", .blob = blob}};
  if (repository.type == RepoType::space) {
    TRY(const git::ObjectId readme, objects.write_blob(as_bytes(space_readme(repository))));
    changes.emplace_back(git::PutFile{.path = "README.md", .blob = readme});
  }
  TRY(const git::ObjectId tree, git::edit_tree(objects, {}, changes));
  return git::write_commit(
      objects,
      {.tree = tree, .parents = {}, .author = author, .committer = author, .message = "initial commit"});
}

}  // namespace

const std::string_view repository_columns =
    "id, type, ns, name, visibility, gate, disabled, sdk, likes, downloads, created, updated, creator";

Repository read_repository(const sql::Row& row) {
  const auto time = [&](int column) { return WallTime(std::chrono::milliseconds(row.integer(column))); };
  return {.id = RepoId{row.integer(0)},
          .type = type_of_name(row.text(1)).value_or(RepoType::model),
          .ns = row.text(2),
          .name = row.text(3),
          // Anything unreadable is the stricter of the two.
          .visibility = visibility_of_name(row.text(4)).value_or(Visibility::private_),
          .gate = gate_of_name(row.text(5)).value_or(Gate::manual),
          .disabled = row.integer(6) == disabled_value,
          .deleted = row.integer(6) == deleted_value,
          .likes = row.integer(8),
          .downloads = row.integer(9),
          .sdk = row.text(7),
          .creator = row.text(12),
          .created = time(10),
          .updated = time(11)};
}

std::string place_of(RepoType type, std::string_view ns, std::string_view name) {
  std::string out = fmt::format("{}:{}/{}", type_name(type), ns, name);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string_view visibility_name(Visibility visibility) {
  switch (visibility) {
    case Visibility::public_:
      return "public";
    case Visibility::private_:
      return "private";
  }
  return "";
}
std::optional<Visibility> visibility_of_name(std::string_view name) {
  if (name == "public") return Visibility::public_;
  if (name == "private") return Visibility::private_;
  return std::nullopt;
}
std::string_view gate_name(Gate gate) {
  switch (gate) {
    case Gate::none:
      return "none";
    case Gate::automatic:
      return "auto";
    case Gate::manual:
      return "manual";
  }
  return "";
}
std::optional<Gate> gate_of_name(std::string_view name) {
  if (name == "none") return Gate::none;
  if (name == "auto") return Gate::automatic;
  if (name == "manual") return Gate::manual;
  return std::nullopt;
}

Status Repositories::audit(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository,
                           std::string_view action, Details details) {
  return audit_.append(tx, identity::AuditEntry{.actor = caller.name,
                                                .action = std::string(action),
                                                .subject = fmt::format("{}:{}", type_name(repository.type),
                                                                       repository.full_name()),
                                                .details = std::move(details)});
}

Result<Repository> Repositories::create(const identity::Caller& caller, const NewRepository& wish) {
  const CreationParts parts{.database = database_,
                            .storage = storage_,
                            .publisher = publisher_,
                            .repositories = *this,
                            .rights = rights_,
                            .audit = audit_,
                            .clock = clock_};
  return create_repository(
      parts, caller, wish,
      [&](const Repository& repository, git::Repository& objects) -> Result<Publication> {
        TRY(const git::ObjectId commit,
            write_first_commit(repository, objects, signature_of(caller, clock_)));
        Publication out;
        out.kind = "first_commit";
        out.moves.push_back({.ref = std::string(main_ref), .before = {}, .after = commit});
        return out;
      });
}

Result<std::optional<Repository>> Repositories::find_where(std::string_view condition, std::string_view text,
                                                           int64_t id) {
  std::optional<Repository> found;
  const sql::Value value = text.empty() ? sql::Value(id) : sql::Value(text);
  const std::string query =
      fmt::format("SELECT {} FROM repo_repositories WHERE {}", repository_columns, condition);
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    found.reset();
    return tx.query(query, {value}, [&](const sql::Row& row) {
      found = read_repository(row);
      return false;
    });
  }));
  return found;
}

Result<std::optional<Repository>> Repositories::find(RepoType type, std::string_view ns,
                                                     std::string_view name) {
  const std::string place = place_of(type, ns, name);
  return found_.get(place, [&] { return find_where("place = ?", place, 0); });
}

Result<std::optional<Repository>> Repositories::find(RepoId id) { return find_where("id = ?", {}, id.raw); }

Result<std::optional<Repository>> Repositories::find_moved(RepoType type, std::string_view ns,
                                                           std::string_view name) {
  return find_where("id = (SELECT repo FROM repo_redirects WHERE place = ?)", place_of(type, ns, name), 0);
}

Status Repositories::warn_dependants(sql::Transaction& tx, const identity::Caller& caller,
                                     const Repository& repository) {
  std::vector<Repository> dependants;
  const std::string name = repository.full_name();
  TRY_DONE(tx.query(
      fmt::format("SELECT {} FROM repo_repositories WHERE id IN (SELECT repo FROM repo_tags WHERE tag "
                  "= ?) AND id <> ? AND disabled <> ? LIMIT ?",
                  repository_columns),
      {(repository.type == RepoType::dataset ? "dataset:" : "base_model:") + name, repository.id.raw,
       deleted_value, dependants_max},
      [&](const sql::Row& row) {
        dependants.push_back(read_repository(row));
        return true;
      }));
  for (const Repository& each : dependants)
    TRY_DONE(
        audit(tx, caller, each, "mirror.dependency_changed",
              {{"dependency", fmt::format("{}:{}", type_name(repository.type), name)}, {"what", "removed"}}));
  return Done{};
}

Status Repositories::retire(const identity::Caller& caller, const Repository& repository) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("UPDATE repo_repositories SET disabled = ?, updated = ? WHERE id = ?",
               {deleted_value, unix_ms(clock_), repository.id.raw}));
    TRY_DONE(bury(tx, repository, caller.name, clock_.wall()));
    TRY_DONE(warn_dependants(tx, caller, repository));
    return audit(tx, caller, repository, "repo.deleted", {{"kept", "for what pinned a revision of it"}});
  });
}

Result<std::vector<Repository>> Repositories::retired() {
  std::vector<Repository> out;
  const std::string query =
      fmt::format("SELECT {} FROM repo_repositories WHERE disabled = ? ORDER BY id", repository_columns);
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(query, {deleted_value}, [&](const sql::Row& row) {
      out.push_back(read_repository(row));
      return true;
    });
  }));
  return out;
}

Status Repositories::remove(const identity::Caller& caller, const Repository& repository) {
  const Storage::Lock lock = storage_.lock(repository.id);
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    if (!repository.deleted) {
      TRY_DONE(bury(tx, repository, caller.name, clock_.wall()));
      TRY_DONE(warn_dependants(tx, caller, repository));
    }
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("DELETE FROM repo_repositories WHERE id = ?", {repository.id.raw}));
    for (const std::string_view table : own_tables) {
      TRY([[maybe_unused]] const int64_t gone,
          tx.run(fmt::format("DELETE FROM {} WHERE repo = ?", table), {repository.id.raw}));
    }
    TRY([[maybe_unused]] const int64_t events,
        tx.run("INSERT INTO repo_events (repo, at, actor, kind) VALUES (?, ?, ?, 'deleted')",
               {repository.id.raw, unix_ms(clock_), caller.name}));
    // Of one that was retired this was told then.
    return repository.deleted ? Status(Done{}) : audit(tx, caller, repository, "repo.deleted");
  }));
  return storage_.remove(repository.id);
}

Result<Repository> Repositories::move(const identity::Caller& caller, const Repository& repository,
                                      const RepoName& to) {
  TRY_DONE(check_repo_name(to.ns));
  TRY_DONE(check_repo_name(to.name));
  if (!rights_.may_create(caller, to.type, to.ns, to.name))
    return fail(Reason::forbidden,
                fmt::format("You don't have the rights to move a repository to the namespace \"{}\"", to.ns));
  const std::string from_place = place_of(repository.type, repository.ns, repository.name);
  const std::string to_place = place_of(repository.type, to.ns, to.name);
  auto moved = database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("UPDATE repo_repositories SET ns = ?, name = ?, place = ?, updated = ? WHERE id = ?",
               {to.ns, to.name, to_place, unix_ms(clock_), repository.id.raw}));
    TRY([[maybe_unused]] const int64_t cleared,
        tx.run("DELETE FROM repo_redirects WHERE place = ? OR place = ?", {to_place, from_place}));
    TRY_DONE(clear_tombstone(tx, to_place));
    if (from_place != to_place) {
      TRY([[maybe_unused]] const int64_t added,
          tx.run("INSERT INTO repo_redirects (place, repo) VALUES (?, ?)", {from_place, repository.id.raw}));
    }
    TRY([[maybe_unused]] const int64_t events,
        tx.run("INSERT INTO repo_events (repo, at, actor, kind) VALUES (?, ?, ?, 'moved')",
               {repository.id.raw, unix_ms(clock_), caller.name}));
    return audit(tx, caller, repository, "repo.moved", {{"to", fmt::format("{}/{}", to.ns, to.name)}});
  });
  if (!moved.ok() && moved.error().reason == Reason::already_exists)
    return fail(Reason::already_exists, fmt::format("A {} repository called {}/{} already exists",
                                                    type_name(repository.type), to.ns, to.name));
  TRY_DONE(std::move(moved));
  Repository out = repository;
  out.ns = to.ns;
  out.name = to.name;
  return out;
}

Status Repositories::change(const identity::Caller& caller, const Repository& repository,
                            const RepositoryChange& change) {
  const Visibility visibility = change.visibility.value_or(repository.visibility);
  const Gate gate = change.gate.value_or(repository.gate);
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("UPDATE repo_repositories SET visibility = ?, gate = ? WHERE id = ?",
               {visibility_name(visibility), gate_name(gate), repository.id.raw}));
    TRY([[maybe_unused]] const int64_t events,
        tx.run("INSERT INTO repo_events (repo, at, actor, kind) VALUES (?, ?, ?, 'settings')",
               {repository.id.raw, unix_ms(clock_), caller.name}));
    return audit(
        tx, caller, repository, "repo.settings_changed",
        {{"visibility", std::string(visibility_name(visibility))}, {"gate", std::string(gate_name(gate))}});
  });
}

}  // namespace holdfast::repo
