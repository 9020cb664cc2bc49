#include "cli/mirror_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/disk_source.h"
#include "codec/hex.h"
#include "codec/sha256.h"
#include "io/symlink.h"
#include "scan/scan_file.h"

namespace holdfast::cli {
namespace {

constexpr size_t piece_bytes = 1 << 20;
constexpr uint64_t pointer_bytes_max = 1024;
constexpr int depth_max = 64;
constexpr std::string_view pointer_mark = "version https://git-lfs.github.com/spec/v1\n";

bool is_folder(io::Disk& disk, const io::Path& path) {
  const auto entry = disk.stat(path);
  return entry.ok() && entry.value().is_directory;
}

// A commit by its hash, or by the ref that names it.
Result<std::string> cached_commit(io::Disk& disk, const io::Path& folder, std::string_view revision) {
  if (codec::is_lower_hex(revision, 40)) return std::string(revision);
  const auto named = io::read_text(disk, folder / "refs" / std::string(revision), 100);
  if (!named.ok()) return fail(Reason::revision_not_found, fmt::format("the cache has no '{}'", revision));
  std::string commit = named.value().substr(0, named.value().find_first_of("\r\n "));
  if (!codec::is_lower_hex(commit, 40)) return fail(Code::corrupt, "the cache's ref names no commit");
  return commit;
}

// Snapshots are links into blobs/, which are read where they lie.
Status list_snapshot(io::Disk& disk, const io::Path& folder, const std::string& prefix, int depth,
                     std::vector<LocalFile>& found) {
  if (depth == depth_max) return fail(Reason::bad_request, "the folders are nested too deep");
  TRY(const auto entries, disk.list(folder));
  for (const io::Entry& entry : entries) {
    const io::Path path = folder / entry.name;
    if (const auto target = io::read_symlink(disk, path); target.ok())
      found.push_back({(folder / target.value()).lexically_normal(), prefix + entry.name});
    else if (entry.is_directory)
      TRY_DONE(list_snapshot(disk, path, prefix + entry.name + "/", depth + 1, found));
    else
      found.push_back({path, prefix + entry.name});
  }
  return Done{};
}

Status resolve_pointer(io::Disk& disk, const io::Path& git, LocalFile& file) {
  TRY(const io::Entry entry, disk.stat(file.source));
  if (entry.size > pointer_bytes_max) return Done{};
  TRY(const std::string text, io::read_text(disk, file.source, pointer_bytes_max));
  if (!text.starts_with(pointer_mark)) return Done{};
  const size_t at = text.find("oid sha256:");
  if (at == std::string::npos || !codec::is_lower_hex(std::string_view(text).substr(at + 11, 64), 64))
    return fail(Code::corrupt, fmt::format("{}: the LFS pointer is damaged", file.path));
  const std::string digest = text.substr(at + 11, 64);
  const io::Path object = git / "lfs" / "objects" / digest.substr(0, 2) / digest.substr(2, 2) / digest;
  if (!disk.stat(object).ok())
    return fail(Reason::object_missing,
                fmt::format("{}: its bytes are not here; run git lfs fetch first", file.path));
  file.source = object;
  return Done{};
}

std::string head_commit(io::Disk& disk, const io::Path& git) {
  const auto head = io::read_text(disk, git / "HEAD", 1000);
  if (!head.ok()) return {};
  std::string text = head.value().substr(0, head.value().find('\n'));
  if (!text.starts_with("ref: ")) return text;
  const auto ref = io::read_text(disk, git / text.substr(5), 100);
  return ref.ok() ? ref.value().substr(0, ref.value().find('\n')) : std::string();
}

}  // namespace

Result<ImportFolder> read_import_folder(io::Disk& disk, const io::Path& folder, std::string_view revision) {
  if (!is_folder(disk, folder)) return fail(Reason::bad_request, "there is no such folder");
  ImportFolder out;
  if (is_folder(disk, folder / "snapshots") && is_folder(disk, folder / "blobs")) {
    out.kind = "hub-cache";
    TRY(out.revision, cached_commit(disk, folder, revision));
    const io::Path snapshot = folder / "snapshots" / out.revision;
    if (!is_folder(disk, snapshot))
      return fail(Reason::revision_not_found, "the cache has no snapshot of this revision");
    TRY_DONE(list_snapshot(disk, snapshot, "", 0, out.files));
    for (const LocalFile& file : out.files)
      if (!file.source.string().starts_with(folder.lexically_normal().string()))
        return fail(Code::corrupt, fmt::format("{}: leads out of the cache", file.path));
  } else {
    out.kind = "folder";
    TRY(out.files, files_below(disk, folder, ""));
    if (is_folder(disk, folder / ".git")) {
      out.kind = "git-lfs";
      out.revision = head_commit(disk, folder / ".git");
      for (LocalFile& file : out.files) TRY_DONE(resolve_pointer(disk, folder / ".git", file));
    }
  }
  if (out.files.empty()) return fail(Reason::bad_request, "the folder holds no files");
  std::sort(out.files.begin(), out.files.end(),
            [](const LocalFile& a, const LocalFile& b) { return a.path < b.path; });
  return out;
}

Result<FileIdentity> identify(io::Disk& disk, const LocalFile& local) {
  TRY(const auto file, disk.open(local.source));
  TRY(const uint64_t size, file->size());
  codec::Sha256 hash;
  Bytes piece(piece_bytes);
  for (uint64_t at = 0; at < size;) {
    TRY(const size_t got, file->read_at(at, piece));
    if (got == 0) return fail(Code::conflict, "the file became shorter while it was read");
    hash.update(ByteView(piece).first(got));
    at += got;
  }
  return FileIdentity{local.path, size, codec::to_hex(hash.finish())};
}

Status check_staged(World& world, io::Disk& disk, const std::vector<LocalFile>& files,
                    OnDangerous on_dangerous, OnSecret on_secret) {
  for (const LocalFile& local : files) {
    TRY(auto file, disk.open(local.source));
    TRY(const uint64_t size, file->size());
    DiskSource source(std::move(file), size);
    TRY(const scan::FileReport report, scan::scan_file(source, local.path));
    for (const scan::Finding& finding : report.findings) {
      if (finding.severity != scan::Severity::dangerous) continue;
      const std::string what = fmt::format(
          "{}{}: {} [{}]", local.path, finding.place.member.empty() ? "" : " (" + finding.place.member + ")",
          finding.reason, finding.rule);
      if (on_dangerous == OnDangerous::refuse &&
          (finding.topic != scan::Topic::secret || on_secret == OnSecret::refuse))
        return fail(Reason::policy_refused, "nothing was taken over: " + what);
      world.complain("holdfast: " + what + "\n");
    }
  }
  return Done{};
}

}  // namespace holdfast::cli
