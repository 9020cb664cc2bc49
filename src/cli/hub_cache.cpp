#include "cli/hub_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "codec/hex.h"
#include "codec/sha1.h"
#include "codec/sha256.h"
#include "io/symlink.h"

namespace holdfast::cli {
namespace {

constexpr size_t piece_bytes = 1 << 20;
constexpr size_t ref_bytes_max = 100;
constexpr int depth_max = 64;

Result<std::vector<io::Entry>> entries_of(io::Disk& disk, const io::Path& folder) {
  auto entries = disk.list(folder);
  if (!entries.ok() && entries.error().code == Code::not_found) return std::vector<io::Entry>{};
  return entries;
}

Status visit_files(io::Disk& disk, const io::Path& folder, int depth,
                   const std::function<Status(const io::Path&)>& each) {
  if (depth == 0) return fail(Code::corrupt, "the cache is nested too deeply");
  TRY(std::vector<io::Entry> entries, entries_of(disk, folder));
  for (const io::Entry& entry : entries) {
    if (entry.is_directory)
      TRY_DONE(visit_files(disk, folder / entry.name, depth - 1, each));
    else
      TRY_DONE(each(folder / entry.name));
  }
  return Done{};
}

// Commit to the refs that name it.
Result<std::map<std::string, std::vector<std::string>>> refs_of(io::Disk& hub, const io::Path& folder) {
  std::map<std::string, std::vector<std::string>> refs;
  TRY_DONE(visit_files(hub, folder / "refs", depth_max, [&](const io::Path& path) -> Status {
    TRY(std::string commit, io::read_text(hub, path, ref_bytes_max));
    refs[commit].push_back(path.lexically_relative(folder / "refs").generic_string());
    return Done{};
  }));
  return refs;
}

// Blobs that the snapshot links to, by name.
Result<std::set<std::string>> blobs_of(io::Disk& hub, const io::Path& snapshot) {
  std::set<std::string> blobs;
  TRY_DONE(visit_files(hub, snapshot, depth_max, [&](const io::Path& path) -> Status {
    const auto target = io::read_symlink(hub, path);
    if (target.ok()) blobs.insert(target.value().filename().string());
    return Done{};
  }));
  return blobs;
}

}  // namespace

std::string cache_folder(const RemoteRepo& repo) {
  std::string folder = fmt::format("{}--{}", remote_plural(repo.type), repo.name);
  if (const size_t slash = folder.find('/'); slash != std::string::npos) folder.replace(slash, 1, "--");
  return folder;
}

std::optional<RemoteRepo> cached_repo(std::string_view folder) {
  static constexpr std::pair<std::string_view, RemoteType> kinds[] = {
      {"models--", RemoteType::model}, {"datasets--", RemoteType::dataset}, {"spaces--", RemoteType::space}};
  for (const auto& [prefix, type] : kinds) {
    if (!folder.starts_with(prefix)) continue;
    std::string name(folder.substr(prefix.size()));
    const size_t split = name.find("--");
    if (split != std::string::npos) name.replace(split, 2, "/");
    return RemoteRepo{type, name};
  }
  return std::nullopt;
}

Status verify_blob(io::Disk& hub, const io::Path& path, std::string_view etag) {
  const bool large = codec::is_lower_hex(etag, 64);
  if (!large && !codec::is_lower_hex(etag, 40)) return fail(Code::corrupt, "its name is no digest");
  TRY(std::unique_ptr<io::ReadFile> file, hub.open(path));
  TRY(uint64_t size, file->size());
  codec::Sha256 sha256;
  codec::Sha1 sha1;
  sha1.update(as_bytes(fmt::format("blob {}", size) + '\0'));
  Bytes piece(piece_bytes);
  for (uint64_t at = 0; at < size;) {
    TRY(size_t got, file->read_at(at, piece));
    if (got == 0) return fail(Code::corrupt, "it became shorter while it was read");
    if (large)
      sha256.update(ByteView(piece).first(got));
    else
      sha1.update(ByteView(piece).first(got));
    at += got;
  }
  const std::string digest = large ? codec::to_hex(sha256.finish()) : codec::to_hex(sha1.finish());
  if (digest != etag) return fail(Code::corrupt, fmt::format("its digest is {}", digest));
  return Done{};
}

Result<std::vector<CachedRepo>> list_cache(io::Disk& hub) {
  std::vector<CachedRepo> repos;
  TRY(std::vector<io::Entry> folders, entries_of(hub, "."));
  for (const io::Entry& folder : folders) {
    const auto repo = cached_repo(folder.name);
    if (!folder.is_directory || !repo) continue;
    CachedRepo cached{*repo, 0, {}};
    std::map<std::string, uint64_t> sizes;
    TRY(std::vector<io::Entry> blobs, entries_of(hub, io::Path(folder.name) / "blobs"));
    for (const io::Entry& blob : blobs) {
      sizes[blob.name] = blob.size;
      cached.bytes += blob.size;
    }
    TRY(auto refs, refs_of(hub, folder.name));
    TRY(std::vector<io::Entry> snapshots, entries_of(hub, io::Path(folder.name) / "snapshots"));
    for (const io::Entry& snapshot : snapshots) {
      CachedRevision revision{snapshot.name, refs[snapshot.name], 0, 0};
      TRY(std::set<std::string> linked, blobs_of(hub, io::Path(folder.name) / "snapshots" / snapshot.name));
      for (const std::string& blob : linked) revision.bytes += sizes[blob];
      TRY_DONE(visit_files(hub, io::Path(folder.name) / "snapshots" / snapshot.name, depth_max,
                           [&](const io::Path&) -> Status {
                             ++revision.files;
                             return Done{};
                           }));
      cached.revisions.push_back(std::move(revision));
    }
    repos.push_back(std::move(cached));
  }
  return repos;
}

Result<std::vector<CacheDamage>> verify_cache(io::Disk& hub,
                                              const std::function<void(const std::string&)>& each) {
  std::vector<CacheDamage> damage;
  TRY(std::vector<io::Entry> folders, entries_of(hub, "."));
  for (const io::Entry& folder : folders) {
    const auto repo = cached_repo(folder.name);
    if (!folder.is_directory || !repo) continue;
    TRY(std::vector<io::Entry> blobs, entries_of(hub, io::Path(folder.name) / "blobs"));
    for (const io::Entry& blob : blobs) {
      if (blob.is_directory || blob.name.ends_with(".incomplete") || blob.name.ends_with(".lock")) continue;
      if (each) each(fmt::format("{} {}", repo->name, blob.name));
      const Status sound = verify_blob(hub, io::Path(folder.name) / "blobs" / blob.name, blob.name);
      if (!sound.ok()) damage.push_back({repo->name, blob.name, sound.error().message});
    }
  }
  return damage;
}

Result<uint64_t> prune_cache(io::Disk& hub) {
  uint64_t freed = 0;
  TRY(std::vector<io::Entry> folders, entries_of(hub, "."));
  for (const io::Entry& folder : folders) {
    if (!folder.is_directory || !cached_repo(folder.name)) continue;
    const io::Path root = folder.name;
    TRY(auto refs, refs_of(hub, root));
    std::set<std::string> kept;
    TRY(std::vector<io::Entry> snapshots, entries_of(hub, root / "snapshots"));
    for (const io::Entry& snapshot : snapshots) {
      if (!refs.contains(snapshot.name)) {
        TRY_DONE(hub.remove_tree(root / "snapshots" / snapshot.name));
        continue;
      }
      TRY(std::set<std::string> linked, blobs_of(hub, root / "snapshots" / snapshot.name));
      kept.merge(linked);
    }
    TRY(std::vector<io::Entry> blobs, entries_of(hub, root / "blobs"));
    for (const io::Entry& blob : blobs) {
      if (blob.is_directory || kept.contains(blob.name)) continue;
      TRY_DONE(hub.remove(root / "blobs" / blob.name));
      freed += blob.size;
    }
  }
  return freed;
}

}  // namespace holdfast::cli
