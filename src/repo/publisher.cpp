#include "repo/publisher.h"

#include <fmt/format.h>

#include "base/check.h"
#include "git/stale_locks.h"
#include "identity/audit.h"
#include "repo/card_index.h"
#include "repo/uploads.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view moved_text =
    "The branch was updated since you opened this page. Please refresh and try again.";

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }

// Changes the row only where it still says what the decision was made on.
Status move_ref(sql::Transaction& tx, RepoId repository, const RefMove& move) {
  const std::string before = move.before.hex(), after = move.after.hex();
  if (move.before.zero()) {
    auto inserted = tx.run("INSERT INTO repo_refs (repo, name, target) VALUES (?, ?, ?)",
                           {repository.raw, move.ref, after});
    if (!inserted.ok() && inserted.error().reason == Reason::already_exists)
      return fail(Reason::stale_parent, std::string(moved_text));
    TRY([[maybe_unused]] const int64_t rows, std::move(inserted));
    return Done{};
  }
  auto changed = move.after.zero()
                     ? tx.run("DELETE FROM repo_refs WHERE repo = ? AND name = ? AND target = ?",
                              {repository.raw, move.ref, before})
                     : tx.run("UPDATE repo_refs SET target = ? WHERE repo = ? AND name = ? AND target = ?",
                              {after, repository.raw, move.ref, before});
  TRY(const int64_t rows, std::move(changed));
  if (rows != 1) return fail(Reason::stale_parent, std::string(moved_text));
  return Done{};
}

}  // namespace

Status Publisher::move(sql::Transaction& tx, const identity::Caller& caller, const Repository& repository,
                       const Publication& publication) {
  const int64_t now = unix_ms(clock_);
  for (const RefMove& each : publication.moves) {
    TRY_DONE(move_ref(tx, repository.id, each));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_events (repo, at, actor, kind, ref, old_target, new_target) "
               "VALUES (?, ?, ?, ?, ?, ?, ?)",
               {repository.id.raw, now, caller.name, publication.kind, each.ref, each.before.hex(),
                each.after.hex()}));
  }
  for (const HeldFile& held : publication.files)
    TRY_DONE(Uploads::hold(tx, repository.id, held.file, held.path, now));
  TRY([[maybe_unused]] const int64_t rows,
      tx.run("UPDATE repo_repositories SET updated = ? WHERE id = ?", {now, repository.id.raw}));
  if (publication.more) TRY_DONE(publication.more(tx));
  identity::AuditEntry entry{
      .actor = caller.name,
      .action = "repo." + publication.kind,
      .subject = fmt::format("{}:{}", type_name(repository.type), repository.full_name()),
      .details = {}};
  if (!publication.moves.empty()) {
    const RefMove& first = publication.moves.front();
    entry.details = {{"ref", first.ref}, {"before", first.before.hex()}, {"after", first.after.hex()}};
  }
  return audit_.append(tx, entry);
}

Status Publisher::publish(const Storage::Lock& lock, const identity::Caller& caller,
                          const Repository& repository, const git::Repository& objects,
                          const Publication& publication) {
  CHECK(lock.repository() == repository.id);
  std::optional<Card> card;
  for (const RefMove& each : publication.moves) {
    if (each.ref != main_ref || each.after.zero()) continue;
    // The new files count as held while the card is read, though their rows come with the transaction.
    TRY(card, cards_.describe(repository, objects, each.after, publication.files));
  }
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(move(tx, caller, repository, publication));
    return card ? CardIndex::store(tx, repository.id, *card) : Status(Done{});
  }));
  for (const RefMove& each : publication.moves) {
    const Status projected = git::set_ref(objects, each.ref, each.after);
    // The decision stands; git clients see it after the repair at the next start at the latest.
    if (!projected.ok())
      log_.failure("ref_projection_failed", projected.error(), {{"repo", repository.id.raw}});
  }
  return Done{};
}

Result<std::vector<git::Ref>> Publisher::refs(RepoId repository) {
  std::vector<std::pair<std::string, std::string>> rows;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    rows.clear();
    return tx.query("SELECT name, target FROM repo_refs WHERE repo = ? ORDER BY name", {repository.raw},
                    [&](const sql::Row& row) {
                      rows.emplace_back(row.text(0), row.text(1));
                      return rows.size() < git::refs_max;
                    });
  }));
  std::vector<git::Ref> out;
  out.reserve(rows.size());
  for (auto& [name, target] : rows) {
    TRY(const git::ObjectId id, git::ObjectId::parse(target));
    out.push_back({.name = std::move(name), .target = id});
  }
  return out;
}

Result<std::optional<git::ObjectId>> Publisher::ref(RepoId repository, std::string_view name) {
  return found_.get(std::pair(repository.raw, std::string(name)), [&] { return read_ref(repository, name); });
}

Result<std::optional<git::ObjectId>> Publisher::read_ref(RepoId repository, std::string_view name) {
  std::string target;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT target FROM repo_refs WHERE repo = ? AND name = ?", {repository.raw, name},
                    [&](const sql::Row& row) {
                      target = row.text(0);
                      return false;
                    });
  }));
  if (target.empty()) return std::optional<git::ObjectId>();
  TRY(const git::ObjectId id, git::ObjectId::parse(target));
  return std::optional(id);
}

Result<size_t> Publisher::repair() {
  std::vector<RepoId> repositories;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    repositories.clear();
    return tx.query("SELECT id FROM repo_repositories ORDER BY id", {}, [&](const sql::Row& row) {
      repositories.push_back(RepoId{row.integer(0)});
      return true;
    });
  }));
  size_t changed = 0;
  for (const RepoId repository : repositories) {
    const Storage::Lock held = storage_.lock(repository);
    auto objects = storage_.open(repository);
    if (!objects.ok()) {
      log_.failure("repository_unreadable", objects.error(), {{"repo", repository.raw}});
      continue;
    }
    TRY(const std::vector<git::Ref> truth, refs(repository));
    const auto unlocked = git::remove_stale_locks(objects.value().folder());
    const auto swept = git::remove_stale_objects(objects.value().folder());
    if (!swept.ok()) log_.failure("objects_not_swept", swept.error(), {{"repo", repository.raw}});
    const auto moved = unlocked.ok() ? git::project_refs(objects.value(), truth) : unlocked;
    // One damaged repository must not keep the others from being served; fsck names it.
    if (!moved.ok()) {
      log_.failure("ref_projection_failed", moved.error(), {{"repo", repository.raw}});
      continue;
    }
    changed += moved.value();
  }
  return changed;
}

}  // namespace holdfast::repo
