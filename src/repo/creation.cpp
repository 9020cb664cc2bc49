#include "repo/creation.h"

#include <fmt/format.h>

#include <charconv>

#include "git/refs.h"
#include "identity/audit.h"
#include "repo/rights.h"
#include "repo/storage.h"
#include "repo/tombstones.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }

Error exists(RepoType type) {
  return fail(Reason::already_exists, fmt::format("You already created this {} repo", type_name(type)));
}

// A number that no other repository gets, nor ever had. Refuses early what `insert` would refuse.
Result<RepoId> reserve(const CreationParts& parts, const NewRepository& wish) {
  constexpr std::string_view reserved = "(reserved)";
  const std::string place = place_of(wish.type, wish.ns, wish.name);
  const int64_t now = unix_ms(parts.clock);
  return parts.database.write<RepoId>([&](sql::Transaction& tx) -> Result<RepoId> {
    bool taken = false;
    TRY_DONE(tx.query("SELECT id FROM repo_repositories WHERE place = ?", {place}, [&](const sql::Row&) {
      taken = true;
      return false;
    }));
    if (taken) return exists(wish.type);
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_repositories (type, ns, name, place, visibility, gate, created, updated) "
               "VALUES ('', '', '', ?, '', '', ?, ?)",
               {reserved, now, now}));
    RepoId id;
    TRY_DONE(
        tx.query("SELECT id FROM repo_repositories WHERE place = ?", {reserved}, [&](const sql::Row& row) {
          id = RepoId{row.integer(0)};
          return false;
        }));
    TRY([[maybe_unused]] const int64_t gone, tx.run("DELETE FROM repo_repositories WHERE id = ?", {id.raw}));
    return id;
  });
}

Status insert(sql::Transaction& tx, const CreationParts& parts, const identity::Caller& caller,
              const Repository& repository) {
  const int64_t now = unix_ms(parts.clock);
  const std::string place = place_of(repository.type, repository.ns, repository.name);
  const auto inserted = tx.run(
      "INSERT INTO repo_repositories (id, type, ns, name, place, visibility, gate, sdk, creator, "
      "created, updated) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {repository.id.raw, type_name(repository.type), repository.ns, repository.name, place,
       visibility_name(repository.visibility), gate_name(Gate::none), repository.sdk, caller.name, now, now});
  if (!inserted.ok() && inserted.error().reason == Reason::already_exists) return exists(repository.type);
  if (!inserted.ok()) return inserted.error();
  TRY([[maybe_unused]] const int64_t redirects,
      tx.run("DELETE FROM repo_redirects WHERE place = ?", {place}));
  TRY_DONE(clear_tombstone(tx, place));
  TRY([[maybe_unused]] const int64_t events,
      tx.run("INSERT INTO repo_events (repo, at, actor, kind) VALUES (?, ?, ?, 'created')",
             {repository.id.raw, now, caller.name}));
  return parts.audit.append(
      tx, {.actor = caller.name,
           .action = "repo.created",
           .subject = fmt::format("{}:{}", type_name(repository.type), repository.full_name()),
           .details = {{"visibility", std::string(visibility_name(repository.visibility))}}});
}

// Whose folders are there, known to SQL or not.
Result<std::vector<RepoId>> stored(io::Disk& disk) {
  std::vector<RepoId> out;
  const auto groups = disk.list("git");
  if (!groups.ok() && groups.error().code == Code::not_found) return out;
  if (!groups.ok()) return groups.error();
  for (const io::Entry& group : groups.value()) {
    if (!group.is_directory) continue;
    TRY(const auto entries, disk.list(io::Path("git") / group.name));
    for (const io::Entry& entry : entries) {
      int64_t id = 0;
      const char* end = entry.name.data() + entry.name.size();
      const auto read = std::from_chars(entry.name.data(), end, id);
      if (read.ec == std::errc() && id > 0 && std::string_view(read.ptr, end) == ".git")
        out.push_back(RepoId{id});
    }
  }
  return out;
}

}  // namespace

Result<Repository> create_repository(const CreationParts& parts, const identity::Caller& caller,
                                     const NewRepository& wish, const FirstContent& content) {
  TRY_DONE(check_repo_name(wish.ns));
  TRY_DONE(check_repo_name(wish.name));
  if (!parts.rights.may_create(caller, wish.type, wish.ns, wish.name))
    return fail(Reason::forbidden,
                fmt::format("You don't have the rights to create a {} under the namespace \"{}\"",
                            type_name(wish.type), wish.ns));
  TRY(const RepoId id, reserve(parts, wish));
  const bool plain_space = wish.type == RepoType::space && wish.sdk.empty();
  Repository repository;
  repository.id = id;
  repository.type = wish.type;
  repository.ns = wish.ns;
  repository.name = wish.name;
  repository.visibility = wish.visibility;
  repository.sdk = plain_space ? "static" : wish.sdk;
  repository.creator = caller.name;
  const auto bear = [&]() -> Status {
    TRY(git::Repository objects, parts.storage.create(id));
    TRY(Publication publication, content(repository, objects));
    publication.more = [&](sql::Transaction& tx) { return insert(tx, parts, caller, repository); };
    const Storage::Lock lock = parts.storage.lock(id);
    return parts.publisher.publish(lock, caller, repository, objects, publication);
  };
  const Status born = bear();
  if (!born.ok()) {
    (void)parts.storage.remove(id).ok();  // The first failure is what the caller hears.
    return born.error();
  }
  TRY(std::optional<Repository> created, parts.repositories.find(id));
  if (!created) return fail(Reason::repo_not_found, "Repository not found");
  return std::move(*created);
}

Result<size_t> sweep_unborn(io::Disk& disk, const Storage& storage, Repositories& repositories) {
  size_t swept = 0;
  TRY(const std::vector<RepoId> all, stored(disk));
  for (const RepoId id : all) {
    TRY(const auto known, repositories.find(id));
    if (known) continue;
    if (const auto objects = storage.open(id); objects.ok()) {
      const auto refs = git::list_refs(objects.value());
      // What had refs was somebody's repository once: not ours to judge.
      if (!refs.ok() || !refs.value().empty()) continue;
    }
    TRY_DONE(disk.remove_tree(storage.folder(id)));
    ++swept;
  }
  return swept;
}

}  // namespace holdfast::repo
