#include "exchange/folder_arrival.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "codec/hex.h"
#include "codec/sha1.h"
#include "codec/sha256.h"
#include "repo/publisher.h"
#include "repo/upload_rules.h"

namespace holdfast::exchange {
namespace {

constexpr size_t files_max = 100'000, depth_max = 32;
constexpr uint64_t regular_bytes_max = 1 << 20;  // A text beyond it is a large file.
constexpr size_t sample_bytes = 8 << 10;

Status list(io::Disk& disk, const std::string& below, size_t depth, std::vector<RemoteFile>& into) {
  if (depth == depth_max) return fail(Reason::bad_request, "the folders are nested too deep");
  TRY(const auto entries, disk.list(below.empty() ? io::Path(".") : io::Path(below)));
  for (const io::Entry& entry : entries) {
    if (entry.name.starts_with('.') && entry.name != ".gitattributes") continue;
    const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
    if (entry.is_directory) {
      TRY_DONE(list(disk, path, depth + 1, into));
      continue;
    }
    if (into.size() == files_max) return fail(Reason::bad_request, "the folder has too many files");
    into.push_back({.path = path, .size = entry.size, .blob = {}, .sha256 = {}});
  }
  return Done{};
}

// By what a push from that folder would do: short texts lie in git, all else by its SHA-256.
Status identify(RemoteFile& file, const StagedFile& bytes) {
  codec::Sha256 sha256;
  codec::Sha1 sha1;
  sha1.update(as_bytes(fmt::format("blob {}", file.size) + '\0'));
  bool text = file.size <= regular_bytes_max, first = true;
  TRY_DONE(bytes.each([&](ByteView piece) -> Status {
    if (first) text = text && repo::looks_like_text(piece.first(std::min(piece.size(), sample_bytes)));
    first = false;
    sha256.update(piece);
    sha1.update(piece);
    return Done{};
  }));
  file.blob = codec::to_hex(sha1.finish());
  if (!text) file.sha256 = codec::to_hex(sha256.finish());
  return Done{};
}

}  // namespace

Result<Published> take_over_folder(const FolderRevision& revision, const MirrorParts& parts,
                                   const repo::Checks::IsLiveToken& is_live_token) {
  if (!codec::is_lower_hex(revision.revision, 40))
    return fail(Reason::bad_request, "the revision of a folder is 40 hexadecimal digits");
  Arrival arrival;
  arrival.place.upstream.visibility = repo::Visibility::private_;
  arrival.type = revision.type;
  arrival.ns = revision.ns;
  arrival.name = revision.name;
  arrival.asked = arrival.remote_commit = revision.revision;
  arrival.folder = revision.title;
  arrival.moves_main = true;
  std::vector<RemoteFile> files;
  TRY_DONE(list(revision.disk, "", 0, files));
  if (files.empty()) return fail(Reason::bad_request, "the folder holds no files");
  for (RemoteFile& file : files) {
    ArrivingFile one{.remote = {},
                     .staged = StagedFile::whole(revision.disk, file.path, file.size),
                     .have = {},
                     .busy = {},
                     .ranges = {},
                     .state = ArrivingFile::State::whole};
    TRY_DONE(identify(file, one.staged));
    one.remote = file;
    TRY(const auto refused, check_staged_file(one, parts.policy, is_live_token));
    if (refused) return fail(Reason::policy_refused, *refused);
    arrival.files.push_back(std::move(one));
  }
  TRY_DONE(parts.upstreams.take_namespace(mirror_caller().name, revision.ns, revision.ns + " of a folder",
                                          repo::Visibility::private_));
  return publish(arrival, std::string(repo::main_ref), parts);
}

}  // namespace holdfast::exchange
