#include "codec/stored_zip.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::codec {
namespace {

// APPNOTE 4.3: little-endian records, each by its signature.
constexpr uint32_t end_mark = 0x06054b50, wide_end_mark = 0x06064b50, wide_locator_mark = 0x07064b50,
                   entry_mark = 0x02014b50, local_mark = 0x04034b50;
constexpr size_t end_bytes = 22, wide_locator_bytes = 20, comment_bytes_max = 65'535, members_max = 200'000;
constexpr uint16_t wide_field = 1;

Error odd(std::string_view what) { return fail(Reason::bad_request, fmt::format("zip: {}", what)); }

Result<ByteReader> reader_at(ByteView archive, uint64_t at) {
  if (at > archive.size()) return odd("an offset past the end");
  return ByteReader(archive.subspan(at));
}

struct Directory {
  uint64_t members = 0, at = 0, bytes = 0;
};

Result<Directory> read_wide_end(ByteView archive, size_t end_at) {
  TRY(ByteReader locator, reader_at(archive, end_at - wide_locator_bytes));
  TRY_DONE(locator.skip(8));
  TRY(const uint64_t at, locator.u64());
  TRY(ByteReader end, reader_at(archive, at));
  TRY(const uint32_t mark, end.u32());
  if (mark != wide_end_mark) return odd("its wide end is not where it is said to be");
  TRY_DONE(end.skip(28));
  Directory out;
  TRY(out.members, end.u64());
  TRY(out.bytes, end.u64());
  TRY(out.at, end.u64());
  return out;
}

Result<Directory> read_end(ByteView archive) {
  if (archive.size() < end_bytes) return odd("it has no end record");
  const size_t last = archive.size() - end_bytes;
  const size_t first = last > comment_bytes_max ? last - comment_bytes_max : 0;
  for (size_t at = last + 1; at-- > first;) {
    ByteReader end(archive.subspan(at));
    TRY(const uint32_t mark, end.u32());
    if (mark != end_mark) continue;
    if (at >= wide_locator_bytes) {
      ByteReader locator(archive.subspan(at - wide_locator_bytes));
      TRY(const uint32_t wide, locator.u32());
      if (wide == wide_locator_mark) return read_wide_end(archive, at);
    }
    TRY_DONE(end.skip(6));
    Directory out;
    TRY(out.members, end.u16());
    TRY(out.bytes, end.u32());
    TRY(out.at, end.u32());
    return out;
  }
  return odd("it has no end record");
}

struct Entry {
  std::string_view name;
  uint64_t stored = 0, size = 0, header_at = 0;
};

// Sizes and offset of a wide entry stand in its extra field, those alone that are all ones in their place.
Status read_extra(ByteView extra, Entry& entry) {
  ByteReader reader(extra);
  while (reader.left() >= 4) {
    TRY(const uint16_t tag, reader.u16());
    TRY(const uint16_t length, reader.u16());
    TRY(const ByteView field, reader.take(length));
    if (tag != wide_field) continue;
    ByteReader wide(field);
    for (uint64_t* value : {&entry.size, &entry.stored, &entry.header_at})
      if (*value == UINT32_MAX) {
        TRY(*value, wide.u64());
      }
  }
  return Done{};
}

Result<Entry> read_entry(ByteReader& reader) {
  TRY(const uint32_t mark, reader.u32());
  if (mark != entry_mark) return odd("an entry of its directory is none");
  TRY_DONE(reader.skip(4));
  TRY(const uint16_t flags, reader.u16());
  TRY(const uint16_t method, reader.u16());
  TRY_DONE(reader.skip(8));
  Entry out;
  TRY(out.stored, reader.u32());
  TRY(out.size, reader.u32());
  TRY(const uint16_t name_bytes, reader.u16());
  TRY(const uint16_t extra_bytes, reader.u16());
  TRY(const uint16_t comment_bytes, reader.u16());
  TRY_DONE(reader.skip(8));
  TRY(out.header_at, reader.u32());
  TRY(const ByteView name, reader.take(name_bytes));
  TRY(const ByteView extra, reader.take(extra_bytes));
  TRY_DONE(reader.skip(comment_bytes));
  out.name = as_text(name);
  TRY_DONE(read_extra(extra, out));
  if (method != 0 || (flags & 1U) != 0 || out.stored != out.size)
    return odd("a member that is compressed or encrypted");
  return out;
}

Result<ByteView> bytes_of(ByteView archive, const Entry& entry) {
  TRY(ByteReader local, reader_at(archive, entry.header_at));
  TRY(const uint32_t mark, local.u32());
  if (mark != local_mark) return odd("a member is not where its entry says");
  TRY_DONE(local.skip(22));
  TRY(const uint16_t name_bytes, local.u16());
  TRY(const uint16_t extra_bytes, local.u16());
  TRY_DONE(local.skip(size_t{name_bytes} + extra_bytes));
  return local.take(entry.size);
}

}  // namespace

Result<std::vector<StoredMember>> read_stored_zip(ByteView archive) {
  const auto read = [&]() -> Result<std::vector<StoredMember>> {
    TRY(const Directory directory, read_end(archive));
    if (directory.members > members_max) return odd("it has too many members");
    TRY(ByteReader reader, reader_at(archive, directory.at));
    std::vector<StoredMember> out;
    for (uint64_t i = 0; i < directory.members; ++i) {
      TRY(const Entry entry, read_entry(reader));
      TRY(const ByteView bytes, bytes_of(archive, entry));
      out.push_back({entry.name, bytes});
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (size_t i = 1; i < out.size(); ++i)
      if (out[i].name == out[i - 1].name) return odd("two members have one name");
    return out;
  };
  auto out = read();
  // Whatever ends too early is the sender's fault.
  if (!out.ok() && out.error().reason == Reason::none) return odd(out.error().message);
  return out;
}

const StoredMember* find_member(const std::vector<StoredMember>& members, std::string_view name) {
  const auto found = std::lower_bound(
      members.begin(), members.end(), name,
      [](const StoredMember& member, std::string_view wanted) { return member.name < wanted; });
  return found == members.end() || found->name != name ? nullptr : &*found;
}

}  // namespace holdfast::codec
