#include <fmt/format.h>

#include <algorithm>

#include "cli/hub_transfer.h"
#include "codec/hex.h"
#include "codec/sha256.h"

namespace holdfast::cli {
namespace {

constexpr size_t piece_bytes = 1 << 20;
constexpr size_t sample_bytes = 512;
constexpr uint64_t regular_bytes_max = 100 << 20;  // Of one commit, as the protocol's reference states it.
constexpr int depth_max = 64;

// A file's bytes on their way out.
class FileBody final : public net::BodySource {
 public:
  FileBody(io::ReadFile& file, const std::function<void(uint64_t)>& sent) : file_(file), sent_(sent) {}
  Result<size_t> read(std::span<std::byte> into) override {
    TRY(size_t got, file_.read_at(at_, into));
    at_ += got;
    sent_(got);
    return got;
  }

 private:
  io::ReadFile& file_;
  const std::function<void(uint64_t)>& sent_;
  uint64_t at_ = 0;
};

Result<std::string> digest_of(io::ReadFile& file, uint64_t size) {
  codec::Sha256 hash;
  Bytes piece(piece_bytes);
  for (uint64_t at = 0; at < size;) {
    TRY(size_t got, file.read_at(at, piece));
    if (got == 0) return fail(Code::conflict, "the file became shorter while it was read");
    hash.update(ByteView(piece).first(got));
    at += got;
  }
  return codec::to_hex(hash.finish());
}

Status list_below(io::Disk& files, const io::Path& folder, const std::string& prefix, int depth,
                  std::vector<LocalFile>& found) {
  if (depth == 0)
    return fail(Reason::bad_request, fmt::format("{} is nested too deeply", folder.generic_string()));
  TRY(std::vector<io::Entry> entries, files.list(folder));
  for (const io::Entry& entry : entries) {
    if (entry.name == ".git" || entry.name == ".cache") continue;
    if (entry.is_directory)
      TRY_DONE(list_below(files, folder / entry.name, prefix + entry.name + "/", depth - 1, found));
    else
      found.push_back({folder / entry.name, prefix + entry.name});
  }
  return Done{};
}

struct Opened {
  std::unique_ptr<io::ReadFile> file;
  uint64_t size = 0;
};

Result<Opened> open_sized(io::Disk& files, const LocalFile& local) {
  Opened opened;
  TRY(opened.file, files.open(local.source));
  TRY(opened.size, opened.file->size());
  return opened;
}

Result<std::string> read_first(io::ReadFile& file, uint64_t size) {
  std::string text(size, '\0');
  TRY(size_t got, file.read_at(0, std::as_writable_bytes(std::span(text))));
  text.resize(got);
  return text;
}

}  // namespace

Result<std::vector<LocalFile>> files_below(io::Disk& files, const io::Path& folder,
                                           const std::string& path_prefix) {
  std::vector<LocalFile> found;
  TRY_DONE(list_below(files, folder, path_prefix, depth_max, found));
  std::sort(found.begin(), found.end(),
            [](const LocalFile& left, const LocalFile& right) { return left.path < right.path; });
  return found;
}

Result<Uploaded> upload_files(HubClient& hub, io::Disk& files, const std::vector<LocalFile>& local,
                              const Upload& wish, const Context& context, const EachTransfer& each) {
  Uploaded done;
  TransferProgress& progress = done.progress;
  progress.files_total = local.size();
  std::vector<HubClient::Candidate> candidates;
  for (const LocalFile& entry : local) {
    TRY(Opened opened, open_sized(files, entry));
    TRY(std::string sample, read_first(*opened.file, std::min<uint64_t>(opened.size, sample_bytes)));
    candidates.push_back({entry.path, std::move(sample), opened.size});
    progress.bytes_total += opened.size;
  }
  TRY(std::vector<bool> large, hub.wants_large(wish.repo, wish.branch, candidates, context));

  CommitRequest commit{wish.message, wish.description, wish.parent, {}};
  for (const std::string& path : wish.removed)
    commit.parts.push_back({CommitPart::Kind::removed, path, {}, {}, 0});
  uint64_t regular_bytes = 0;
  const std::function<void(uint64_t)> sent = [&](uint64_t bytes) {
    progress.bytes += bytes;
    if (each) each(progress);
  };
  for (size_t i = 0; i < local.size(); ++i) {
    TRY(Opened opened, open_sized(files, local[i]));
    CommitPart part{CommitPart::Kind::regular, local[i].path, {}, {}, opened.size};
    const uint64_t before = progress.bytes;
    if (large[i]) {
      part.kind = CommitPart::Kind::large;
      TRY(part.sha256, digest_of(*opened.file, opened.size));
      FileBody body(*opened.file, sent);
      TRY(uint64_t bytes, hub.upload_large(wish.repo, part.sha256, opened.size, body, context));
      done.bytes_sent += bytes;
    } else {
      regular_bytes += opened.size;
      if (regular_bytes > regular_bytes_max)
        return fail(Reason::body_too_large,
                    "the small files are more than 100 MiB together: upload them in several goes");
      TRY(part.content, read_first(*opened.file, opened.size));
      done.bytes_sent += opened.size;
    }
    progress.bytes = before + opened.size;
    ++progress.files;
    if (each) each(progress);
    commit.parts.push_back(std::move(part));
  }
  TRY(done.commit, hub.commit(wish.repo, wish.branch, commit, context));
  return done;
}

}  // namespace holdfast::cli
