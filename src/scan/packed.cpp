#include "scan/packed.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <numeric>

namespace holdfast::scan {
namespace {

constexpr size_t piece_bytes = 256 << 10;
constexpr size_t name_bytes_max = 4096;

struct Free {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

// What libarchive reads through; its callbacks get a pointer to it.
struct Feed {
  Source& source;
  uint64_t at = 0;
  Bytes piece{};
  bool failed = false;
};

la_ssize_t give(archive*, void* data, const void** bytes) {
  auto& feed = *static_cast<Feed*>(data);
  auto piece = read_some(feed.source, feed.at, piece_bytes);
  if (!piece.ok()) {
    feed.failed = true;
    return -1;
  }
  feed.piece = std::move(piece).value();
  feed.at += feed.piece.size();
  *bytes = feed.piece.data();
  return static_cast<la_ssize_t>(feed.piece.size());
}

la_int64_t jump(archive*, void* data, la_int64_t offset, int whence) {
  auto& feed = *static_cast<Feed*>(data);
  const auto size = static_cast<la_int64_t>(feed.source.size());
  const la_int64_t base = whence == SEEK_SET   ? 0
                          : whence == SEEK_CUR ? static_cast<la_int64_t>(feed.at)
                                               : size;
  if (offset < -base || offset > size - base) return ARCHIVE_FATAL;
  feed.at = static_cast<uint64_t>(base + offset);
  return base + offset;
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text).substr(0, name_bytes_max);
}

class LibraryReader final : public PackedReader {
 public:
  explicit LibraryReader(Source& source) : feed_{source}, handle_(archive_read_new()) {}

  Status open() {
    if (handle_ == nullptr) return fail(Code::corrupt, "the archive cannot be read");
    archive* handle = handle_.get();
    archive_read_support_filter_all(handle);
    archive_read_support_format_tar(handle);
    archive_read_support_format_7zip(handle);
    archive_read_support_format_rar(handle);
    archive_read_support_format_rar5(handle);
    archive_read_support_format_cpio(handle);
    archive_read_support_format_zip_seekable(handle);
    archive_read_support_format_raw(handle);
    archive_read_set_callback_data(handle, &feed_);
    archive_read_set_read_callback(handle, give);
    archive_read_set_seek_callback(handle, jump);
    if (archive_read_open1(handle) != ARCHIVE_OK) return damaged();
    return Done{};
  }

  Result<std::optional<PackedMember>> next() override {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(handle_.get(), &entry);
    if (code == ARCHIVE_EOF) return std::optional<PackedMember>();
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return damaged();
    PackedMember member;
    const bool bare = archive_format(handle_.get()) == ARCHIVE_FORMAT_RAW;
    if (!bare) member.name = text_or_empty(archive_entry_pathname(entry));
    member.target = text_or_empty(archive_entry_symlink(entry));
    if (member.target.empty()) member.target = text_or_empty(archive_entry_hardlink(entry));
    const auto type = archive_entry_filetype(entry);
    member.kind = !member.target.empty()     ? PackedMember::Kind::link
                  : type == AE_IFREG || bare ? PackedMember::Kind::file
                  : type == AE_IFDIR         ? PackedMember::Kind::folder
                                             : PackedMember::Kind::other;
    return std::optional(std::move(member));
  }

  Result<Bytes> read(uint64_t bytes_max) override {
    Bytes out;
    while (true) {
      const size_t before = out.size();
      const size_t most = std::min<uint64_t>(piece_bytes, bytes_max + 1 - before);
      out.resize(before + most);
      const la_ssize_t count = archive_read_data(handle_.get(), out.data() + before, most);
      if (count < 0) return damaged();
      out.resize(before + static_cast<size_t>(count));
      if (count == 0) return out;
      if (out.size() > bytes_max) return fail(Reason::body_too_large, "a member unpacks to too much");
    }
  }

 private:
  Error damaged() const {
    if (feed_.failed) return fail(Code::unavailable, "the file cannot be read");
    return fail(Code::corrupt, "it is damaged or locked");
  }

  Feed feed_;
  std::unique_ptr<archive, Free> handle_;
};

// A tar header's own sum of its bytes, in octal: older dialects have no other mark.
bool looks_like_tar(ByteView head) {
  if (head.size() < 512) return false;
  if (as_text(head.subspan(257, 5)) == "ustar") return true;
  uint64_t told = 0;
  size_t digits = 0;
  for (const std::byte byte : head.subspan(148, 8)) {
    const char c = static_cast<char>(byte);
    if (c >= '0' && c <= '7') {
      told = told * 8 + static_cast<uint64_t>(c - '0');
      ++digits;
    } else if (digits > 0) {
      break;
    } else if (c != ' ') {
      return false;
    }
  }
  uint64_t sum = 8 * ' ';
  for (size_t i = 0; i < 512; ++i)
    if (i < 148 || i >= 156) sum += static_cast<uint64_t>(head[i]);
  return digits > 0 && told == sum && head[0] != std::byte{0};
}

}  // namespace

Result<std::unique_ptr<PackedReader>> open_packed(Source& source) {
  auto reader = std::make_unique<LibraryReader>(source);
  TRY_DONE(reader->open());
  return Result<std::unique_ptr<PackedReader>>(std::move(reader));
}

bool looks_packed(ByteView head) {
  using namespace std::string_view_literals;
  static constexpr auto marks = std::to_array<std::string_view>(
      {"7z\xbc\xaf\x27\x1c"sv, "Rar!\x1a\x07"sv,
       "\xfd"
       "7zXZ\0"sv,
       "BZh"sv, "\x28\xb5\x2f\xfd"sv, "\x04\x22\x4d\x18"sv, "070701"sv, "070702"sv});
  const std::string_view text = as_text(head);
  for (const std::string_view mark : marks)
    if (text.starts_with(mark)) return true;
  return looks_like_tar(head);
}

}  // namespace holdfast::scan
