#include "scan/zip.h"

#include <algorithm>

namespace holdfast::scan {
namespace {

constexpr std::string_view local_magic{"PK\x03\x04", 4};
constexpr std::string_view central_magic{"PK\x01\x02", 4};
constexpr std::string_view end_magic{"PK\x05\x06", 4};
constexpr std::string_view end64_magic{"PK\x06\x06", 4};
constexpr std::string_view locator64_magic{"PK\x06\x07", 4};
constexpr size_t end_bytes = 22, local_bytes = 30;
constexpr uint16_t extra_zip64 = 1;
constexpr uint64_t salvage_bytes_max = 256 << 20;

// Sizes and place that did not fit into 32 bits.
Status read_zip64(ByteView extra, ZipMember& member) {
  ByteReader reader(extra);
  while (reader.left() >= 4) {
    TRY(const uint16_t kind, reader.u16());
    TRY(const uint16_t length, reader.u16());
    TRY(const ByteView field, reader.take(std::min<size_t>(length, reader.left())));
    if (kind != extra_zip64) continue;
    ByteReader inner(field);
    for (uint64_t* value : {&member.size, &member.stored, &member.header_at}) {
      if (*value != UINT32_MAX || inner.left() < 8) continue;
      TRY(*value, inner.u64());
    }
  }
  return Done{};
}

struct End {
  uint64_t directory_at = 0, directory_bytes = 0;
};

Result<End> find_end(Source& source) {
  const uint64_t tail = std::min<uint64_t>(source.size(), end_bytes + UINT16_MAX + 20);
  const uint64_t tail_at = source.size() - tail;
  TRY(const Bytes bytes, read_some(source, tail_at, tail));
  const size_t at = as_text(bytes).rfind(end_magic);
  if (at == std::string_view::npos) return fail(Code::corrupt, "it has no directory");
  ByteReader reader(ByteView(bytes).subspan(at));
  TRY_DONE(reader.skip(12));
  End end;
  TRY(end.directory_bytes, reader.u32());
  TRY(end.directory_at, reader.u32());
  if (at >= 20 && as_text(bytes).substr(at - 20, 4) == locator64_magic) {
    ByteReader locator(ByteView(bytes).subspan(at - 20));
    TRY_DONE(locator.skip(8));
    TRY(const uint64_t end64_at, locator.u64());
    TRY(const Bytes end64, read_some(source, end64_at, 56));
    if (!as_text(end64).starts_with(end64_magic))
      return fail(Code::corrupt, "its directory is not where it says");
    ByteReader large(end64);
    TRY_DONE(large.skip(40));
    TRY(end.directory_bytes, large.u64());
    TRY(end.directory_at, large.u64());
  }
  // Bytes put in front of an archive move all its places.
  const uint64_t end_at = tail_at + at;
  if (end.directory_at + end.directory_bytes > end_at ||
      end.directory_at + end.directory_bytes < end.directory_at)
    return fail(Code::corrupt, "its directory is not where it says");
  return end;
}

struct Lengths {
  uint16_t name, extra;
};

// What directory entry and local header have alike: from the method to the length of the extra field.
Result<Lengths> read_middle(ByteReader& reader, ZipMember& member) {
  TRY(member.method, reader.u16());
  TRY_DONE(reader.skip(8));
  TRY(member.stored, reader.u32());
  TRY(member.size, reader.u32());
  TRY(const uint16_t name, reader.u16());
  TRY(const uint16_t extra, reader.u16());
  return Lengths{name, extra};
}

Result<ZipDirectory> read_directory(Source& source, const ZipLimits& limits) {
  TRY(const End end, find_end(source));
  if (end.directory_bytes > limits.directory_bytes_max)
    return fail(Code::too_large, "its directory is too long");
  TRY(const Bytes bytes, read_some(source, end.directory_at, end.directory_bytes));
  ByteReader reader(bytes);
  ZipDirectory directory;
  while (reader.left() >= 46) {
    TRY(const ByteView magic, reader.take(4));
    if (as_text(magic) != central_magic) return fail(Code::corrupt, "its directory is damaged");
    if (directory.members.size() == limits.members_max) {
      directory.cut = true;
      break;
    }
    ZipMember member;
    TRY_DONE(reader.skip(6));
    TRY(const Lengths lengths, read_middle(reader, member));
    TRY(const uint16_t comment, reader.u16());
    TRY_DONE(reader.skip(4));
    TRY(const uint32_t attributes, reader.u32());
    member.is_link = (attributes >> 28) == 0xA;  // S_IFLNK in the upper half, whoever made it.
    TRY(member.header_at, reader.u32());
    TRY(const ByteView name_bytes, reader.take(lengths.name));
    member.name = as_text(name_bytes);
    TRY(const ByteView extra_bytes, reader.take(lengths.extra));
    TRY_DONE(reader.skip(comment));
    TRY_DONE(read_zip64(extra_bytes, member));
    directory.members.push_back(std::move(member));
  }
  if (directory.members.empty()) return fail(Code::corrupt, "its directory is empty");
  return directory;
}

// The local header at `at`.
Result<ZipMember> read_local(Source& source, uint64_t at) {
  TRY(const Bytes head, read_some(source, at, local_bytes));
  ByteReader reader(head);
  TRY(const ByteView magic, reader.take(4));
  if (as_text(magic) != local_magic) return fail(Code::corrupt, "a member is not where the directory says");
  ZipMember member;
  member.header_at = at;
  TRY_DONE(reader.skip(4));
  TRY(const Lengths lengths, read_middle(reader, member));
  TRY(const Bytes rest, read_some(source, at + local_bytes, size_t{lengths.name} + lengths.extra));
  if (rest.size() != size_t{lengths.name} + lengths.extra)
    return fail(Code::corrupt, "a member's header ends too early");
  member.name = as_text(ByteView(rest).first(lengths.name));
  const uint64_t kept = member.header_at;
  TRY_DONE(read_zip64(ByteView(rest).subspan(lengths.name), member));
  member.header_at = kept;
  return member;
}

// Every local header there is, for an archive whose directory cannot be read. A member without a size of its
// own reaches to the next.
Result<ZipDirectory> salvage(Source& source, const ZipLimits& limits) {
  ZipDirectory directory;
  directory.from_local_headers = true;
  directory.cut = source.size() > salvage_bytes_max;
  constexpr size_t step = 1 << 20;
  for (uint64_t at = 0; at < std::min(source.size(), salvage_bytes_max); at += step) {
    TRY(const Bytes piece, read_some(source, at, step + local_magic.size() - 1));
    const std::string_view text = as_text(piece);
    for (size_t found = text.find(local_magic); found != std::string_view::npos && found < step;
         found = text.find(local_magic, found + 1)) {
      auto member = read_local(source, at + found);
      if (!member.ok()) continue;
      if (directory.members.size() == limits.members_max) {
        directory.cut = true;
        return directory;
      }
      directory.members.push_back(std::move(member).value());
    }
  }
  if (directory.members.empty()) return fail(Code::corrupt, "it has neither a directory nor members");
  for (size_t i = 0; i < directory.members.size(); ++i) {
    ZipMember& member = directory.members[i];
    const uint64_t next =
        i + 1 < directory.members.size() ? directory.members[i + 1].header_at : source.size();
    if (member.stored == 0) member.stored = next - member.header_at;
  }
  return directory;
}

}  // namespace

Result<ZipDirectory> read_zip(Source& source, const ZipLimits& limits) {
  auto directory = read_directory(source, limits);
  if (directory.ok()) return directory;
  if (directory.error().code == Code::too_large) return directory;
  return salvage(source, limits);
}

Result<uint64_t> member_begin(Source& source, const ZipMember& member) {
  TRY(const Bytes head, read_some(source, member.header_at, local_bytes));
  ByteReader reader(head);
  TRY_DONE(reader.skip(26));
  TRY(const uint16_t name, reader.u16());
  TRY(const uint16_t extra, reader.u16());
  return member.header_at + local_bytes + name + extra;
}

bool has_zip_magic(ByteView first) { return as_text(first).starts_with(local_magic); }

}  // namespace holdfast::scan
