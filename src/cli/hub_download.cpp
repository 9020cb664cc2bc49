#include <fmt/format.h>

#include <algorithm>

#include "cli/hub_cache.h"
#include "cli/hub_transfer.h"
#include "io/symlink.h"

namespace holdfast::cli {
namespace {

// Paths come from a server: they must stay inside the snapshot.
bool stays_inside(const io::Path& path) {
  if (path.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(),
                      [](const io::Path& part) { return part == ".." || part == "." || part.empty(); });
}

Status fetch_once(HubClient& hub, io::Disk& cache, const Download& wish, const std::string& commit,
                  const RemoteFile& file, const io::Path& part, const Context& context,
                  const std::function<void(uint64_t)>& got) {
  TRY(std::unique_ptr<io::WriteFile> out, cache.open_append(part));
  const uint64_t have = out->size();
  if (have > file.size) return fail(Code::corrupt, "the unfinished file is longer than the whole");
  if (have < file.size || file.size == 0) {
    got(have);
    TRY_DONE(hub.download(
        wish.repo, commit, file.path, have,
        [&](ByteView bytes) -> Status {
          if (out->size() + bytes.size() > file.size)
            return fail(Code::corrupt, "the hub sends more than it said");
          got(bytes.size());
          return out->append(bytes);
        },
        context));
  }
  return out->sync();
}

// Into blobs/ETAG, checked. A digest that differs may stem from an unfinished file of another time: tried
// again from the start, once.
Status fetch(HubClient& hub, io::Disk& cache, const Download& wish, const std::string& commit,
             const RemoteFile& file, const io::Path& blob, const Context& context,
             const std::function<void(uint64_t)>& got) {
  const io::Path part = blob.string() + ".incomplete";
  for (int attempt = 0;; ++attempt) {
    Status fetched = fetch_once(hub, cache, wish, commit, file, part, context, got);
    if (fetched.ok()) fetched = verify_blob(cache, part, file.etag());
    if (fetched.ok()) break;
    if (fetched.error().code != Code::corrupt) return fetched;
    TRY_DONE(cache.remove(part));
    if (attempt == 1)
      return fail(Reason::digest_mismatch, fmt::format("{}: {}", file.path, fetched.error().message));
  }
  TRY_DONE(cache.rename(part, blob));
  return cache.sync_directory(blob.parent_path());
}

}  // namespace

Result<Downloaded> download_snapshot(HubClient& hub, io::Disk& cache, const Download& wish,
                                     const Context& context, const EachTransfer& each) {
  TRY(RemoteRevision remote, hub.revision(wish.repo, wish.revision, context));
  const io::Path root = cache_folder(wish.repo);
  const io::Path snapshot = root / "snapshots" / remote.commit;
  TRY_DONE(cache.make_directories(root / "blobs"));
  TRY_DONE(cache.make_directories(snapshot));

  std::vector<RemoteFile> wanted;
  for (RemoteFile& file : remote.files)
    if (wish.only.empty() || std::find(wish.only.begin(), wish.only.end(), file.path) != wish.only.end())
      wanted.push_back(std::move(file));
  for (const std::string& path : wish.only)
    if (std::none_of(wanted.begin(), wanted.end(), [&](const RemoteFile& file) { return file.path == path; }))
      return fail(Reason::entry_not_found,
                  fmt::format("{} has no file {} at {}", wish.repo.name, path, wish.revision));

  Downloaded done{remote.commit, snapshot, {}};
  TransferProgress& progress = done.progress;
  progress.files_total = wanted.size();
  for (const RemoteFile& file : wanted) progress.bytes_total += file.size;
  for (const RemoteFile& file : wanted) {
    if (!stays_inside(file.path))
      return fail(Code::corrupt, fmt::format("the hub lists a file '{}' outside the repository", file.path));
    const io::Path blob = root / "blobs" / file.etag();
    const uint64_t before = progress.bytes;
    if (!cache.stat(blob).ok())
      TRY_DONE(fetch(hub, cache, wish, remote.commit, file, blob, context, [&](uint64_t bytes) {
        progress.bytes += bytes;
        if (each) each(progress);
      }));
    progress.bytes = before + file.size;
    ++progress.files;
    if (each) each(progress);
    const io::Path link = snapshot / file.path;
    TRY_DONE(cache.make_directories(link.parent_path()));
    TRY_DONE(io::make_symlink(cache, blob.lexically_relative(link.parent_path()), link));
  }
  if (wish.revision != remote.commit) {
    const io::Path ref = root / "refs" / wish.revision;
    if (!stays_inside(ref))
      return fail(Reason::bad_request, fmt::format("'{}' is no revision", wish.revision));
    TRY_DONE(cache.make_directories(ref.parent_path()));
    TRY_DONE(io::publish_text(cache, ref, remote.commit));
  }
  return done;
}

}  // namespace holdfast::cli
