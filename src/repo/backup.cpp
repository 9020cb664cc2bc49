#include "repo/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/data_layout.h"
#include "content/store.h"
#include "repo/storage.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr ManifestFormat backup_format{"holdfast-backup", 1, "backup"};
constexpr int depth_max = 16;  // Of folders: git's deepest is refs/heads/a/b/…, and refs are not copied.
constexpr std::chrono::hours hold_span{24};

// References are true in SQL and projected anew at start; temporaries are nobody's; alternates of a
// quarantine neither.
bool belongs_to_backup(const io::Path& path) {
  const std::string text = path.generic_string();
  return text.find("/refs/") == std::string::npos && text.find("/packed-refs") == std::string::npos &&
         text.find("/tmp_") == std::string::npos && text.find("/incoming-") == std::string::npos &&
         !text.ends_with(".lock");
}

Result<std::vector<RepoId>> repository_ids(sql::Database& database) {
  using Ids = std::vector<RepoId>;
  return database.read<Ids>([](sql::Transaction& tx) -> Result<Ids> {
    Ids ids;
    TRY_DONE(tx.query("SELECT id FROM repo_repositories ORDER BY id", {}, [&](const sql::Row& row) {
      ids.push_back(RepoId{row.integer(0)});
      return true;
    }));
    return ids;
  });
}

// A repository that the copied database names may have gone before its objects were copied: deleted, or lost.
Status expect_repositories(const BackupSource& source, const std::string& copied_url) {
  TRY(std::unique_ptr<sql::Database> copied_database, sql::open_database(copied_url));
  TRY(std::vector<RepoId> copied, repository_ids(*copied_database));
  const Storage storage(source.data);
  for (const RepoId id : copied)
    if (!source.data.stat(storage.folder(id) / "HEAD").ok()) {
      TRY(std::vector<RepoId> now, repository_ids(source.database));
      if (std::find(now.begin(), now.end(), id) != now.end())
        return fail(Reason::data_corrupt,
                    "a repository's objects are not there; `holdfast fsck` tells whose");
      return fail(Code::busy, "a repository was deleted while the backup was made: make it again");
    }
  return Done{};
}

Result<CopyProgress> copy_held(const BackupSource& source, io::Disk& target, const Clock& clock,
                               const EachCopied& each) {
  ManifestWriter writer(backup_format, target, each);
  TRY_DONE(writer.open(clock));
  const std::string database_path = target.absolute(data_layout::database).string();
  TRY_DONE(source.database.copy_to(database_path));
  TRY_DONE(writer.record_there(data_layout::database));
  auto copy = [&](Missing missing) {
    return [&writer, &source, missing](const io::Path& path) -> Status {
      return belongs_to_backup(path) ? writer.copy(source.data, path, path, missing) : Status(Done{});
    };
  };
  TRY_DONE(writer.copy(source.data, data_layout::instance_key, data_layout::instance_key, Missing::damage));
  TRY_DONE(visit_files(source.data, data_layout::keys, depth_max, copy(Missing::damage)));
  const std::string copied_url = "sqlite:" + database_path;
  TRY_DONE(source.with_copied_store(copied_url, [&](content::Store& copied) -> Status {
    return copied.visit_stored([&](const io::Path& path, uint64_t) {
      return writer.copy(source.data, path, path, Missing::damage);
    });
  }));
  TRY_DONE(visit_files(source.data, data_layout::repositories, depth_max, copy(Missing::fine)));
  TRY_DONE(expect_repositories(source, copied_url));
  return writer.close();
}

Result<CopyProgress> read_through(io::Disk& backup, io::Disk* target, const EachCopied& each) {
  TRY(std::vector<ManifestLine> lines, read_manifest(backup, backup_format));
  CopyProgress progress;
  std::set<std::string> folders;
  for (const ManifestLine& line : lines) {
    TRY_DONE(check_line(backup, target, backup_format, line));
    folders.insert(line.path.parent_path().generic_string());
    // Git takes a folder without refs/ for no repository; the references themselves come back at the next
    // start.
    if (target != nullptr && line.path.filename() == "HEAD") {
      TRY_DONE(target->make_directories(line.path.parent_path() / "refs" / "heads"));
      TRY_DONE(target->make_directories(line.path.parent_path() / "objects" / "pack"));
    }
    ++progress.files;
    progress.bytes += line.bytes;
    if (each) each(progress);
  }
  if (target != nullptr)
    for (const std::string& folder : folders) TRY_DONE(target->sync_directory(folder.empty() ? "." : folder));
  return progress;
}

}  // namespace

Result<CopyProgress> back_up(const BackupSource& source, io::Disk& target, const Clock& clock,
                             const EachCopied& each) {
  TRY_DONE(expect_empty(target, "backup folder"));
  TRY_DONE(source.content.hold_deletion(hold_span));
  auto copied = copy_held(source, target, clock, each);
  const Status released = source.content.hold_deletion({});
  if (copied.ok()) TRY_DONE(released);
  if (!copied.ok()) (void)empty_folder(target);  // Without its manifest it is no backup anyhow.
  return copied;
}

Result<CopyProgress> restore(io::Disk& backup, io::Disk& target, const EachCopied& each,
                             const std::function<Status()>& finish) {
  return fill_data_folder(target, [&]() -> Result<CopyProgress> {
    TRY(CopyProgress copied, read_through(backup, &target, each));
    TRY_DONE(finish());
    return copied;
  });
}

Result<CopyProgress> verify_backup(io::Disk& backup, const EachCopied& each) {
  return read_through(backup, nullptr, each);
}

}  // namespace holdfast::repo
