#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "exchange/hub_client.h"
#include "io/disk.h"

namespace holdfast::cli {

using exchange::remote_plural;
using exchange::remote_prefix;
using exchange::RemoteFile;
using exchange::RemoteRepo;
using exchange::RemoteType;

// The cache that huggingface_hub keeps in $HF_HOME/hub, read and written in its layout so that both programs
// share it:
//   models--NS--NAME/blobs/ETAG                      the bytes; ETAG is a SHA-256 or a git blob's SHA-1
//   models--NS--NAME/snapshots/COMMIT/PATH           a link to ../../blobs/ETAG
//   models--NS--NAME/refs/REVISION                   the commit a branch or tag stood for
// The bytes of a download that did not finish lie in blobs/ETAG.incomplete and are gone on with.
std::string cache_folder(const RemoteRepo& repo);                // "models--ns--name"
std::optional<RemoteRepo> cached_repo(std::string_view folder);  // And back; none for other folders.

struct CachedRevision {
  std::string commit;
  std::vector<std::string> refs;
  uint64_t files = 0, bytes = 0;
};
struct CachedRepo {
  RemoteRepo repo;
  uint64_t bytes = 0;  // Of its blobs, each once.
  std::vector<CachedRevision> revisions;
};
Result<std::vector<CachedRepo>> list_cache(io::Disk& hub);

// Reads every blob again; a blob whose bytes are not what its name says is returned, with its repository.
struct CacheDamage {
  std::string repo, blob, why;
};
Result<std::vector<CacheDamage>> verify_cache(io::Disk& hub,
                                              const std::function<void(const std::string&)>& each);

// Removes snapshots that no ref names, blobs that no snapshot links to, and unfinished downloads. Returns the
// bytes.
Result<uint64_t> prune_cache(io::Disk& hub);

// The digest under which a blob with this name is kept: SHA-256 for 64 digits, git's SHA-1 for 40. corrupt
// when the bytes differ.
Status verify_blob(io::Disk& hub, const io::Path& path, std::string_view etag);

}  // namespace holdfast::cli
