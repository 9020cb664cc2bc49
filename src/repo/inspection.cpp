#include "repo/inspection.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/hex.h"
#include "content/store.h"
#include "git/object_check.h"
#include "git/refs.h"
#include "repo/repositories.h"
#include "repo/storage.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr size_t findings_max = 10'000;

struct HeldObject {
  std::string sha256, path;
  uint64_t size = 0;
};

void add(Inspection& inspection, std::string_view what, const std::string& place, std::string detail) {
  if (inspection.findings.size() < findings_max)
    inspection.findings.push_back({std::string(what), place, std::move(detail)});
}

Result<std::vector<Repository>> all_repositories(sql::Database& database) {
  return database.read<std::vector<Repository>>([](sql::Transaction& tx) -> Result<std::vector<Repository>> {
    std::vector<Repository> found;
    TRY_DONE(tx.query(fmt::format("SELECT {} FROM repo_repositories ORDER BY id", repository_columns), {},
                      [&](const sql::Row& row) {
                        found.push_back(read_repository(row));
                        return true;
                      }));
    return found;
  });
}

Result<std::vector<git::Ref>> true_refs(sql::Database& database, RepoId repository) {
  return database.read<std::vector<git::Ref>>([&](sql::Transaction& tx) -> Result<std::vector<git::Ref>> {
    std::vector<git::Ref> refs;
    Status bad = Done{};
    TRY_DONE(tx.query("SELECT name, target FROM repo_refs WHERE repo = ? ORDER BY name", {repository.raw},
                      [&](const sql::Row& row) {
                        auto target = git::ObjectId::parse(row.text(1));
                        if (!target.ok())
                          bad = std::move(target).error();
                        else
                          refs.push_back({row.text(0), target.value()});
                        return bad.ok();
                      }));
    TRY_DONE(bad);
    return refs;
  });
}

Result<std::vector<HeldObject>> held_objects(sql::Database& database, RepoId repository) {
  return database.read<std::vector<HeldObject>>([&](sql::Transaction& tx) -> Result<std::vector<HeldObject>> {
    std::vector<HeldObject> held;
    TRY_DONE(tx.query("SELECT sha256, path, size FROM repo_objects WHERE repo = ?", {repository.raw},
                      [&](const sql::Row& row) {
                        held.push_back({row.text(0), row.text(1), static_cast<uint64_t>(row.integer(2))});
                        return true;
                      }));
    return held;
  });
}

// The truth is read before the disk, so a ref that moved in between is looked at again by the caller's next
// run.
void compare_refs(const git::Repository& objects, const std::vector<git::Ref>& truth,
                  const std::string& place, Inspection& inspection) {
  for (const git::Ref& ref : truth) {
    ++inspection.refs;
    if (!objects.has(ref.target))
      add(inspection, "ref_lost", place,
          fmt::format("{} names {}, which is not there", ref.name, ref.target.hex()));
    const auto shown = git::read_ref(objects, ref.name);
    if (!shown.ok() || shown.value() != ref.target)
      add(inspection, "ref_not_projected", place,
          fmt::format("{} on disk is not {}", ref.name, ref.target.hex()));
  }
}

Status check_held(const InspectionParts& parts, RepoId repository, const std::string& place,
                  Inspection& inspection) {
  TRY(std::vector<HeldObject> held, held_objects(parts.database, repository));
  for (const HeldObject& object : held) {
    ++inspection.objects;
    auto digest = codec::from_hex(object.sha256);
    if (!digest.ok() || digest.value().size() != sizeof(content::Sha256Digest)) {
      add(inspection, "object_lost", place, object.sha256 + " is no digest");
      continue;
    }
    content::Sha256Digest sha256{};
    std::copy(digest.value().begin(), digest.value().end(), sha256.begin());
    const auto file = parts.content.find(sha256);
    if (!file.ok()) {
      add(inspection, "object_lost", place, fmt::format("{} ({})", object.sha256, object.path));
    } else if (file.value().size != object.size) {
      add(inspection, "object_size", place,
          fmt::format("{} has {} bytes, not {}", object.sha256, file.value().size, object.size));
    }
  }
  return Done{};
}

}  // namespace

Result<Inspection> inspect(const InspectionParts& parts,
                           const std::function<void(const std::string& place)>& each) {
  Inspection inspection;
  TRY(std::vector<Repository> repositories, all_repositories(parts.database));
  for (const Repository& repository : repositories) {
    const std::string place = fmt::format("{}:{}", type_name(repository.type), repository.full_name());
    if (each) each(place);
    ++inspection.repositories;
    TRY(std::vector<git::Ref> truth, true_refs(parts.database, repository.id));
    auto objects = parts.storage.open(repository.id);
    if (!objects.ok()) {
      add(inspection, "repository_lost", place, objects.error().message);
    } else {
      TRY(std::vector<std::string> complaints,
          git::check_objects(parts.storage.folder(repository.id), parts.git_program, parts.clock));
      for (std::string& complaint : complaints) add(inspection, "git_object", place, std::move(complaint));
      compare_refs(objects.value(), truth, place, inspection);
    }
    TRY_DONE(check_held(parts, repository.id, place, inspection));
  }
  if (each) each("content");
  TRY(content::Checked checked, parts.content.check());
  inspection.xorbs = checked.xorbs;
  inspection.bytes = checked.bytes;
  for (content::Damage& damage : checked.damage)
    add(inspection, damage.what, "content", fmt::format("{}: {}", damage.object, damage.detail));
  return inspection;
}

}  // namespace holdfast::repo
