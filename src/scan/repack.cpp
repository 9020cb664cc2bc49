#include "scan/repack.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <memory>

namespace holdfast::scan {
namespace {

constexpr size_t piece_bytes = 256 << 10;

struct FreeReader {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
struct FreeWriter {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
using Reader = std::unique_ptr<archive, FreeReader>;
using Writer = std::unique_ptr<archive, FreeWriter>;

la_ssize_t append(archive*, void* data, const void* bytes, size_t count) {
  static_cast<std::string*>(data)->append(static_cast<const char*>(bytes), count);
  return static_cast<la_ssize_t>(count);
}

Error damaged() { return fail(Reason::bad_request, "the archive is damaged or locked"); }

Result<Reader> open_reader(ByteView bytes) {
  Reader reader(archive_read_new());
  if (reader == nullptr) return damaged();
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_tar(reader.get());
  archive_read_support_format_zip_seekable(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    return fail(Reason::bad_request, "the archive is none that is written again");
  return reader;
}

// Of the same kind as what is read; known once the first header is.
Result<Writer> open_writer(archive* reader, std::string& out) {
  Writer writer(archive_write_new());
  if (writer == nullptr) return damaged();
  const bool zip = (archive_format(reader) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
  const int format = zip ? archive_write_set_format_zip(writer.get())
                         : archive_write_set_format_pax_restricted(writer.get());
  const bool packed = archive_filter_code(reader, 0) == ARCHIVE_FILTER_GZIP;
  const int filter =
      packed ? archive_write_add_filter_gzip(writer.get()) : archive_write_add_filter_none(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  if (format != ARCHIVE_OK || filter != ARCHIVE_OK ||
      archive_write_open(writer.get(), &out, nullptr, append, nullptr) != ARCHIVE_OK)
    return damaged();
  return writer;
}

Result<std::string> read_member(archive* reader, uint64_t bytes_max) {
  std::string out;
  std::array<char, 64 << 10> piece;
  while (true) {
    const la_ssize_t count = archive_read_data(reader, piece.data(), piece.size());
    if (count < 0) return damaged();
    if (count == 0) return out;
    if (out.size() + static_cast<size_t>(count) > bytes_max)
      return fail(Reason::body_too_large, "the archive unpacks to too much");
    out.append(piece.data(), static_cast<size_t>(count));
  }
}

}  // namespace

Result<std::optional<std::string>> repack(ByteView bytes, const MemberChange& change,
                                          const RepackLimits& limits) {
  TRY(const Reader reader, open_reader(bytes));
  std::string out;
  Writer writer;
  bool changed = false;
  uint64_t unpacked = 0;
  for (size_t members = 0;; ++members) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(reader.get(), &entry);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return damaged();
    if (archive_entry_is_encrypted(entry) != 0) return damaged();
    if (members == limits.members_max)
      return fail(Reason::body_too_large, "the archive has too many members");
    if (writer == nullptr) {
      TRY(writer, open_writer(reader.get(), out));
    }
    std::string member;
    if (archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr) {
      TRY(member, read_member(reader.get(), limits.bytes_max - unpacked));
      unpacked += member.size();
      const char* name = archive_entry_pathname(entry);
      TRY(auto instead,
          change(name == nullptr ? std::string_view() : std::string_view(name), as_bytes(member)));
      if (instead) {
        changed = true;
        member = std::move(*instead);
      }
      archive_entry_set_size(entry, static_cast<la_int64_t>(member.size()));
    }
    if (archive_write_header(writer.get(), entry) < ARCHIVE_WARN) return damaged();
    for (size_t at = 0; at < member.size();) {
      const la_ssize_t count =
          archive_write_data(writer.get(), member.data() + at, std::min(piece_bytes, member.size() - at));
      if (count <= 0) return damaged();
      at += static_cast<size_t>(count);
    }
  }
  if (!changed || writer == nullptr) return std::optional<std::string>();
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return damaged();
  return std::optional(std::move(out));
}

}  // namespace holdfast::scan
