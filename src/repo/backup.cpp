#include "repo/backup.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>

#include "base/data_layout.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "content/store.h"
#include "repo/storage.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr const char* manifest_name = "manifest.jsonl";
constexpr const char* format_name = "holdfast-backup";
constexpr int64_t format_version = 1;
constexpr size_t piece_bytes = 1 << 20;
constexpr uint64_t manifest_bytes_max = uint64_t{4} << 30;
constexpr int depth_max = 16;  // Of folders: git's deepest is refs/heads/a/b/…, and refs are not copied.
constexpr std::chrono::hours hold_span{24};

struct Copied {
  uint64_t bytes = 0;
  std::string sha256;
};

Result<Copied> copy_open_file(const io::ReadFile& in, io::Disk* to, const io::Path& path) {
  std::unique_ptr<io::WriteFile> out;
  if (to != nullptr) {
    TRY_DONE(to->make_directories(path.parent_path()));
    TRY(out, to->create(path));
  }
  codec::Sha256 hash;
  Copied copied;
  Bytes piece(piece_bytes);
  for (;;) {
    TRY(size_t got, in.read_at(copied.bytes, piece));
    if (got == 0) break;
    const ByteView view(piece.data(), got);
    hash.update(view);
    if (out) TRY_DONE(out->append(view));
    copied.bytes += got;
  }
  if (out) TRY_DONE(out->sync());
  copied.sha256 = codec::to_hex(hash.finish());
  return copied;
}

Result<Copied> copy_file(io::Disk& from, io::Disk* to, const io::Path& path) {
  TRY(std::unique_ptr<io::ReadFile> in, from.open(path));
  return copy_open_file(*in, to, path);
}

// Every file below `folder`, in order. A file that vanishes meanwhile (git repacking) is no error.
Status visit_files(io::Disk& disk, const io::Path& folder, int depth,
                   const std::function<Status(const io::Path&)>& each) {
  if (depth == 0) return fail(Code::corrupt, fmt::format("{} is nested too deeply", folder.string()));
  auto listed = disk.list(folder);
  if (!listed.ok())
    return listed.error().code == Code::not_found ? Status(Done{}) : Status(std::move(listed).error());
  for (const io::Entry& entry : listed.value()) {
    if (entry.is_directory) {
      TRY_DONE(visit_files(disk, folder / entry.name, depth - 1, each));
    } else {
      TRY_DONE(each(folder / entry.name));
    }
  }
  return Done{};
}

// References are true in SQL and projected anew at start; temporaries are nobody's; alternates of a
// quarantine neither.
bool belongs_to_backup(const io::Path& path) {
  const std::string text = path.generic_string();
  return text.find("/refs/") == std::string::npos && text.find("/packed-refs") == std::string::npos &&
         text.find("/tmp_") == std::string::npos && text.find("/incoming-") == std::string::npos &&
         !text.ends_with(".lock");
}

// What a file that is not there any more means: git packs its objects anew, the rest must be there.
enum class Missing : uint8_t { fine, damage };

class Writer {
 public:
  Writer(io::Disk& source, io::Disk& target, const EachCopied& each)
      : source_(source), target_(target), each_(each) {}

  Status open(const Clock& clock) {
    TRY(manifest_, target_.create(std::string(manifest_name) + ".part"));
    boost::json::object head{
        {"format", format_name}, {"version", format_version}, {"time", format_time(clock.wall())}};
    return line(head);
  }
  Status copy(const io::Path& path, Missing missing) {
    if (done_.contains(path.generic_string())) return Done{};
    auto in = source_.open(path);
    if (!in.ok() && in.error().code == Code::not_found) {
      if (missing == Missing::fine) return Done{};
      return fail(Reason::data_corrupt,
                  fmt::format("{} is not there any more; `holdfast fsck` tells what is damaged",
                              path.generic_string()));
    }
    if (!in.ok()) return std::move(in).error();
    TRY(Copied copied, copy_open_file(*in.value(), &target_, path));
    return record(path, copied);
  }
  // A file that already lies in the target.
  Status record_there(const io::Path& path) {
    TRY(Copied seen, copy_file(target_, nullptr, path));
    return record(path, seen);
  }
  Result<CopyProgress> close() {
    TRY_DONE(expect_all_there());
    boost::json::object last{{"complete", true}, {"files", progress_.files}, {"bytes", progress_.bytes}};
    TRY_DONE(line(last));
    TRY_DONE(manifest_->sync());
    for (const std::string& folder : folders_) TRY_DONE(target_.sync_directory(folder));
    TRY_DONE(target_.rename(std::string(manifest_name) + ".part", manifest_name));
    TRY_DONE(target_.sync_directory("."));
    return progress_;
  }

 private:
  // Somebody may have cleared the target meanwhile, or a part of it.
  Status expect_all_there() {
    for (const auto& [path, bytes] : done_) {
      const auto there = target_.stat(path);
      if (!there.ok() || there.value().size != bytes)
        return fail(Reason::data_corrupt,
                    fmt::format("{} was removed from the backup folder or changed there", path));
    }
    return Done{};
  }
  Status line(const boost::json::object& object) {
    return manifest_->append(as_bytes(codec::to_text(object) + "\n"));
  }
  Status record(const io::Path& path, const Copied& copied) {
    TRY_DONE(line({{"path", path.generic_string()}, {"bytes", copied.bytes}, {"sha256", copied.sha256}}));
    done_.emplace(path.generic_string(), copied.bytes);
    if (path.has_parent_path()) folders_.insert(path.parent_path().generic_string());
    ++progress_.files;
    progress_.bytes += copied.bytes;
    if (each_) each_(progress_);
    return Done{};
  }

  io::Disk& source_;
  io::Disk& target_;
  const EachCopied& each_;
  std::unique_ptr<io::WriteFile> manifest_;
  std::map<std::string, uint64_t> done_;  // To their sizes.
  std::set<std::string> folders_;
  CopyProgress progress_;
};

Status expect_empty(io::Disk& disk, std::string_view what) {
  TRY(std::vector<io::Entry> entries, disk.list("."));
  if (entries.empty()) return Done{};
  return fail(Reason::already_exists, fmt::format("the {} is not empty", what));
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

Status empty(io::Disk& disk) {
  TRY(std::vector<io::Entry> entries, disk.list("."));
  // The mark of an unfinished restore goes last: until then nothing opens the folder.
  for (const io::Entry& entry : entries)
    if (entry.name != data_layout::restoring)
      TRY_DONE(entry.is_directory ? disk.remove_tree(entry.name) : disk.remove(entry.name));
  if (disk.stat(data_layout::restoring).ok()) TRY_DONE(disk.remove(data_layout::restoring));
  return disk.sync_directory(".");
}

Result<CopyProgress> copy_held(const BackupSource& source, io::Disk& target, const Clock& clock,
                               const EachCopied& each) {
  Writer writer(source.data, target, each);
  TRY_DONE(writer.open(clock));
  const std::string database_path = target.absolute(data_layout::database).string();
  TRY_DONE(source.database.copy_to(database_path));
  TRY_DONE(writer.record_there(data_layout::database));
  auto copy = [&writer](Missing missing) {
    return [&writer, missing](const io::Path& path) -> Status {
      return belongs_to_backup(path) ? writer.copy(path, missing) : Status(Done{});
    };
  };
  TRY_DONE(writer.copy(data_layout::instance_key, Missing::damage));
  TRY_DONE(visit_files(source.data, data_layout::keys, depth_max, copy(Missing::damage)));
  const std::string copied_url = "sqlite:" + database_path;
  TRY_DONE(source.with_copied_store(copied_url, [&](content::Store& copied) -> Status {
    return copied.visit_stored(
        [&](const io::Path& path, uint64_t) { return writer.copy(path, Missing::damage); });
  }));
  TRY_DONE(visit_files(source.data, data_layout::repositories, depth_max, copy(Missing::fine)));
  TRY_DONE(expect_repositories(source, copied_url));
  return writer.close();
}

struct Line {
  io::Path path;
  uint64_t bytes = 0;
  std::string sha256;
};

// A manifest comes from outside: its paths must stay below the folder.
bool stays_below(const io::Path& path) {
  if (path.empty() || path.is_absolute()) return false;
  for (const io::Path& part : path)
    if (part == ".." || part == "." || part.empty()) return false;
  return true;
}

Result<std::vector<Line>> read_manifest(io::Disk& backup) {
  auto text = io::read_text(backup, manifest_name, manifest_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found)
    return fail(Code::corrupt, "this is no finished backup: it has no manifest.jsonl");
  if (!text.ok()) return std::move(text).error();
  std::vector<Line> lines;
  bool first = true, complete = false;
  std::string_view rest = text.value();
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    TRY(boost::json::object object, codec::parse_json_object(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (first) {
      TRY(std::string_view format, codec::json_text(object, "format"));
      TRY(int64_t version, codec::json_integer(object, "version"));
      if (format != format_name || version != format_version)
        return fail(Code::corrupt, "the manifest is of a format this program does not know");
      first = false;
    } else if (object.contains("complete")) {
      TRY(int64_t files, codec::json_integer(object, "files"));
      complete = static_cast<size_t>(files) == lines.size() && rest.empty();
    } else {
      TRY(std::string_view path, codec::json_text(object, "path"));
      TRY(int64_t bytes, codec::json_integer(object, "bytes"));
      TRY(std::string_view sha256, codec::json_text(object, "sha256"));
      if (!stays_below(io::Path(path)) || bytes < 0)
        return fail(Code::corrupt, "the manifest names a file outside the backup");
      lines.push_back({io::Path(path), static_cast<uint64_t>(bytes), std::string(sha256)});
    }
  }
  if (!complete) return fail(Code::corrupt, "the manifest is not complete");
  return lines;
}

Result<CopyProgress> read_through(io::Disk& backup, io::Disk* target, const EachCopied& each) {
  TRY(std::vector<Line> lines, read_manifest(backup));
  CopyProgress progress;
  std::set<std::string> folders;
  for (const Line& line : lines) {
    TRY(Copied copied, copy_file(backup, target, line.path));
    if (copied.bytes != line.bytes || copied.sha256 != line.sha256)
      return fail(Code::corrupt,
                  fmt::format("{} in the backup is not what the manifest says", line.path.generic_string()));
    folders.insert(line.path.parent_path().generic_string());
    // Git takes a folder without refs/ for no repository; the references themselves come back at the next
    // start.
    if (target != nullptr && line.path.filename() == "HEAD") {
      TRY_DONE(target->make_directories(line.path.parent_path() / "refs" / "heads"));
      TRY_DONE(target->make_directories(line.path.parent_path() / "objects" / "pack"));
    }
    ++progress.files;
    progress.bytes += copied.bytes;
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
  if (!copied.ok()) (void)empty(target);  // Without its manifest it is no backup anyhow.
  return copied;
}

Result<CopyProgress> restore(io::Disk& backup, io::Disk& target, const EachCopied& each,
                             const std::function<Status()>& finish) {
  if (target.stat(data_layout::restoring).ok()) TRY_DONE(empty(target));
  TRY_DONE(expect_empty(target, "data folder"));
  auto lay_out = [&]() -> Result<CopyProgress> {
    TRY_DONE(io::publish_text(target, data_layout::restoring, ""));
    TRY(CopyProgress copied, read_through(backup, &target, each));
    TRY_DONE(finish());
    TRY_DONE(target.remove(data_layout::restoring));
    TRY_DONE(target.sync_directory("."));
    return copied;
  };
  auto copied = lay_out();
  if (!copied.ok()) TRY_DONE(empty(target));
  return copied;
}

Result<CopyProgress> verify_backup(io::Disk& backup, const EachCopied& each) {
  return read_through(backup, nullptr, each);
}

}  // namespace holdfast::repo
