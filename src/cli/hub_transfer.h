#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "exchange/hub_client.h"
#include "io/disk.h"

namespace holdfast::cli {

using exchange::CommitPart;
using exchange::CommitRequest;
using exchange::HubClient;
using exchange::remote_plural;
using exchange::remote_prefix;
using exchange::remote_type;
using exchange::RemoteFile;
using exchange::RemoteRepo;
using exchange::RemoteRevision;
using exchange::RemoteType;

// What a transfer has done so far; files that were there already count as done without bytes.
struct TransferProgress {
  uint64_t files = 0, files_total = 0;
  uint64_t bytes = 0, bytes_total = 0;
};
using EachTransfer = std::function<void(const TransferProgress&)>;

struct Download {
  RemoteRepo repo;
  std::string revision = "main";
  std::vector<std::string> only;  // Paths; empty: all files.
};
struct Downloaded {
  std::string commit;
  io::Path folder;  // The snapshot, below the cache.
  TransferProgress progress;
};

// Brings a revision into the shared cache (hub_cache.h). Each file's digest is checked before it is shown;
// unfinished files are gone on with. All files are of one commit; the ref is written last.
Result<Downloaded> download_snapshot(HubClient& hub, io::Disk& cache, const Download& wish,
                                     const Context& context, const EachTransfer& each);

struct LocalFile {
  io::Path source;   // On `files`.
  std::string path;  // In the repository.
};
struct Upload {
  RemoteRepo repo;
  std::string branch = "main";
  std::string message = "Upload with holdfast";
  std::optional<std::string> parent;
  std::string description{};
  std::vector<std::string> removed{};  // Paths that the commit takes away.
};
struct Uploaded {
  std::string commit;
  TransferProgress progress;
  uint64_t bytes_sent = 0;
};

// Publishes local files as one commit: large ones by LFS, small ones inside the commit (at most 100 MiB
// together).
Result<Uploaded> upload_files(HubClient& hub, io::Disk& files, const std::vector<LocalFile>& local,
                              const Upload& wish, const Context& context, const EachTransfer& each);

// Files below `folder`, sorted; .git, .cache and links are left out.
Result<std::vector<LocalFile>> files_below(io::Disk& files, const io::Path& folder,
                                           const std::string& path_prefix);

}  // namespace holdfast::cli
