#include "codec/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <optional>

namespace holdfast::codec {
namespace {

struct FreeWriter {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
struct FreeEntry {
  void operator()(archive_entry* handle) const { archive_entry_free(handle); }
};

bool leads_out(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.back() == '/') return true;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = std::string_view(path).substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return true;
    at = end + 1;
  }
  return path.find('\0') != std::string::npos;
}

class ArchiveTarWriter final : public TarWriter {
 public:
  explicit ArchiveTarWriter(Sink sink) : sink_(std::move(sink)), handle_(archive_write_new()) {}

  Status start() {
    archive* handle = handle_.get();
    if (handle == nullptr || archive_write_set_format_pax_restricted(handle) != ARCHIVE_OK ||
        archive_write_add_filter_none(handle) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(handle, 1) != ARCHIVE_OK ||
        archive_write_open(handle, this, nullptr, take, nullptr) != ARCHIVE_OK)
      return broken();
    return Done{};
  }

  Status begin(const TarMember& member) override {
    TRY_DONE(end_member());
    if (leads_out(member.path))
      return fail(Reason::bad_request, fmt::format("'{}' is no path within an archive", member.path));
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new2(handle_.get()));
    if (entry == nullptr) return broken();
    const bool folder = member.kind == TarMember::Kind::folder;
    // Names are bytes; as UTF-8 libarchive would look for characters in them, which the C locale has not.
    archive_entry_copy_pathname(entry.get(), (folder ? member.path + "/" : member.path).c_str());
    const bool link = member.kind == TarMember::Kind::link;
    archive_entry_set_filetype(entry.get(), folder ? AE_IFDIR : link ? AE_IFLNK : AE_IFREG);
    if (link) archive_entry_copy_symlink(entry.get(), member.target.c_str());
    archive_entry_set_perm(entry.get(), static_cast<__LA_MODE_T>(member.mode));
    archive_entry_set_uid(entry.get(), member.owner);
    archive_entry_set_gid(entry.get(), member.owner);
    archive_entry_set_size(entry.get(), folder || link ? 0 : static_cast<la_int64_t>(member.size));
    archive_entry_set_mtime(entry.get(), 0, 0);
    // It warns of such names, and writes them as they are.
    if (archive_write_header(handle_.get(), entry.get()) < ARCHIVE_WARN) return broken();
    path_ = member.path;
    left_ = folder || link ? 0 : member.size;
    return Done{};
  }

  Status write(ByteView bytes) override {
    if (bytes.size() > left_)
      return fail(Code::conflict, fmt::format("{} became longer while it was read", path_));
    while (!bytes.empty()) {
      const la_ssize_t taken = archive_write_data(handle_.get(), bytes.data(), bytes.size());
      if (taken <= 0) return broken();
      left_ -= static_cast<uint64_t>(taken);
      bytes = bytes.subspan(static_cast<size_t>(taken));
    }
    return Done{};
  }

  Status finish() override {
    TRY_DONE(end_member());
    if (archive_write_close(handle_.get()) != ARCHIVE_OK) return broken();
    return Done{};
  }

 private:
  static la_ssize_t take(archive* handle, void* self, const void* bytes, size_t count) {
    auto* writer = static_cast<ArchiveTarWriter*>(self);
    Status done = writer->error_ ? Status(*writer->error_)
                                 : writer->sink_({static_cast<const std::byte*>(bytes), count});
    if (done.ok()) return static_cast<la_ssize_t>(count);
    if (!writer->error_) writer->error_ = done.error();
    archive_set_error(handle, EIO, "the sink takes no more");
    return -1;
  }

  Status end_member() {
    if (left_ != 0) return fail(Code::conflict, fmt::format("{} became shorter while it was read", path_));
    return Done{};
  }
  Error broken() const {
    if (error_) return *error_;
    const char* said = handle_ == nullptr ? nullptr : archive_error_string(handle_.get());
    return fail(Code::internal,
                fmt::format("the archive cannot be written: {}", said == nullptr ? "?" : said));
  }

  Sink sink_;
  std::optional<Error> error_;
  std::string path_;
  uint64_t left_ = 0;
  std::unique_ptr<archive, FreeWriter> handle_;  // Last: freeing it may call the sink.
};

}  // namespace

Result<std::unique_ptr<TarWriter>> TarWriter::open(Sink sink) {
  auto writer = std::make_unique<ArchiveTarWriter>(std::move(sink));
  TRY_DONE(writer->start());
  return std::unique_ptr<TarWriter>(std::move(writer));
}

}  // namespace holdfast::codec
