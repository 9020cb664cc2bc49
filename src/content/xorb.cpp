#include "content/xorb.h"

#include <algorithm>

#include "base/check.h"
#include "codec/lz4.h"

namespace holdfast::content {
namespace {

constexpr size_t entry_bytes = 41;
// Enough for the footer of a xorb with the most chunks: 40 bytes a chunk and some words.
constexpr size_t footer_bytes_max = xorb_chunks_max * 40 + 1024;

uint32_t read_u24(const std::byte* at) {
  return std::to_integer<uint32_t>(at[0]) | std::to_integer<uint32_t>(at[1]) << 8 |
         std::to_integer<uint32_t>(at[2]) << 16;
}

// Four groups, by index mod 4, become one run again.
void ungroup(ByteView grouped, std::span<std::byte> into) {
  const size_t quarter = into.size() / 4, rest = into.size() % 4;
  const std::byte* groups[4];
  const std::byte* at = grouped.data();
  for (size_t group = 0; group < 4; ++group) {
    groups[group] = at;
    at += quarter + (group < rest ? 1 : 0);
  }
  for (size_t i = 0; i < quarter; ++i)
    for (size_t group = 0; group < 4; ++group) into[4 * i + group] = groups[group][i];
  for (size_t group = 0; group < rest; ++group) into[4 * quarter + group] = groups[group][quarter];
}

}  // namespace

ChunkHeaderBytes write_chunk_header(const ChunkHeader& header) {
  CHECK(header.stored <= chunk_stored_bytes_max && header.length <= chunk_bytes_max);
  const uint64_t packed = static_cast<uint64_t>(header.stored) << 8 |
                          static_cast<uint64_t>(header.scheme) << 32 |
                          static_cast<uint64_t>(header.length) << 40;
  ChunkHeaderBytes bytes;
  std::memcpy(bytes.data(), &packed, bytes.size());
  return bytes;
}

Result<ChunkHeader> parse_chunk_header(std::span<const std::byte, chunk_header_bytes> bytes) {
  if (bytes[0] != std::byte{0}) return fail(Reason::bad_request, "a chunk header has an unknown version");
  const auto scheme = std::to_integer<uint8_t>(bytes[4]);
  if (scheme > static_cast<uint8_t>(Scheme::bg4_lz4))
    return fail(Reason::bad_request, "a chunk has an unknown compression scheme");
  const ChunkHeader header = {.scheme = static_cast<Scheme>(scheme),
                              .stored = read_u24(bytes.data() + 1),
                              .length = read_u24(bytes.data() + 5)};
  if (header.length == 0 || header.length > chunk_bytes_max)
    return fail(Reason::bad_request, "a chunk is empty or longer than 128 KiB");
  if (header.stored == 0 || header.stored > chunk_stored_bytes_max)
    return fail(Reason::bad_request, "a stored chunk is empty or longer than 256 KiB");
  if (header.scheme == Scheme::raw && header.stored != header.length)
    return fail(Reason::bad_request, "a chunk stored as it is has two lengths");
  return header;
}

Status decode_chunk(Scheme scheme, ByteView stored, std::span<std::byte> into) {
  switch (scheme) {
    case Scheme::raw:
      if (stored.size() != into.size()) return fail(Reason::bad_request, "a chunk has the wrong length");
      std::copy(stored.begin(), stored.end(), into.begin());
      return Done{};
    case Scheme::lz4:
      return codec::lz4_frame_decompress(stored, into);
    case Scheme::bg4_lz4: {
      Bytes grouped(into.size());
      TRY_DONE(codec::lz4_frame_decompress(stored, grouped));
      ungroup(grouped, into);
      return Done{};
    }
  }
  return fail(Reason::bad_request, "a chunk has an unknown compression scheme");
}

void XorbTable::add(const ChunkHash& hash, const ChunkHeader& header) {
  entries_.push_back(
      {.hash = hash,
       .stored_end = stored_bytes() + static_cast<uint32_t>(chunk_header_bytes) + header.stored,
       .end = bytes() + header.length,
       .scheme = header.scheme});
}

std::vector<ChunkLeaf> XorbTable::leaves(const ChunkRange& chunks) const {
  std::vector<ChunkLeaf> leaves;
  leaves.reserve(chunks.count());
  for (uint32_t i = chunks.first; i < chunks.end; ++i) leaves.push_back({entries_[i].hash, length(i)});
  return leaves;
}

RangeHash XorbTable::range_hash(const ChunkRange& chunks) const {
  std::vector<ChunkHash> hashes;
  hashes.reserve(chunks.count());
  for (uint32_t i = chunks.first; i < chunks.end; ++i) hashes.push_back(entries_[i].hash);
  return hash_range(hashes);
}

Bytes XorbTable::pack() const {
  ByteWriter out;
  for (const Entry& entry : entries_) {
    out.bytes(entry.hash.bytes);
    out.u32(entry.stored_end);
    out.u32(entry.end);
    out.u8(static_cast<uint8_t>(entry.scheme));
  }
  return std::move(out).take();
}

Result<XorbTable> XorbTable::unpack(ByteView packed) {
  if (packed.size() % entry_bytes != 0 || packed.size() / entry_bytes > xorb_chunks_max)
    return fail(Reason::data_corrupt, "a table of chunks has a wrong length");
  XorbTable table;
  table.entries_.resize(packed.size() / entry_bytes);
  const std::byte* at = packed.data();
  for (Entry& entry : table.entries_) {
    std::memcpy(entry.hash.bytes.data(), at, 32);
    std::memcpy(&entry.stored_end, at + 32, 4);
    std::memcpy(&entry.end, at + 36, 4);
    entry.scheme = static_cast<Scheme>(at[40]);
    at += entry_bytes;
  }
  for (size_t i = 0; i < table.size(); ++i)
    if (table.begin(i) >= table[i].end || table.stored_begin(i) + chunk_header_bytes >= table[i].stored_end ||
        table.length(i) > chunk_bytes_max ||
        table[i].stored_end - table.stored_begin(i) > chunk_stored_bytes_max + chunk_header_bytes ||
        table[i].scheme > Scheme::bg4_lz4)
      return fail(Reason::data_corrupt, "a table of chunks is out of order");
  return table;
}

Status XorbParser::write(ByteView bytes) {
  while (!bytes.empty()) {
    // As much as the next step can need: a header, then the chunk it announces.
    size_t wanted = chunk_header_bytes;
    if (in_footer_) {
      wanted = footer_bytes_max + 1;
    } else if (pending_.size() >= chunk_header_bytes) {
      TRY(const ChunkHeader header, parse_chunk_header(std::span(pending_).first<chunk_header_bytes>()));
      wanted = chunk_header_bytes + header.stored;
    }
    const size_t taken = std::min(bytes.size(), wanted - pending_.size());
    pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + taken);
    bytes = bytes.subspan(taken);
    TRY_DONE(step());
  }
  return Done{};
}

Status XorbParser::step() {
  if (in_footer_) {
    if (pending_.size() > footer_bytes_max) return fail(Reason::bad_request, "the xorb's footer is too long");
    return Done{};
  }
  if (pending_[0] == static_cast<std::byte>(xorb_footer_tag[0])) {
    in_footer_ = true;
    return Done{};
  }
  if (pending_.size() < chunk_header_bytes) return Done{};
  TRY(const ChunkHeader header, parse_chunk_header(std::span(pending_).first<chunk_header_bytes>()));
  if (pending_.size() < chunk_header_bytes + header.stored) return Done{};

  if (table_.size() == xorb_chunks_max) return fail(Reason::bad_request, "a xorb has more than 8192 chunks");
  if (table_.stored_bytes() + pending_.size() > xorb_stored_bytes_max ||
      table_.bytes() + header.length > xorb_bytes_max)
    return fail(Reason::body_too_large, "a xorb is longer than 64 MiB");
  ByteView chunk = ByteView(pending_).subspan(chunk_header_bytes);
  if (header.scheme != Scheme::raw) {
    decoded_.resize(header.length);
    TRY_DONE(decode_chunk(header.scheme, chunk, decoded_));
    chunk = decoded_;
  }
  table_.add(hash_chunk(chunk), header);
  if (each_chunk_) each_chunk_(chunk);
  pending_.clear();
  return Done{};
}

Result<XorbTable> XorbParser::finish(const XorbHash& expected) {
  if (in_footer_) {
    // The footer repeats what the chunks say; of it we read only whom it claims to be.
    ByteReader reader(pending_);
    TRY(const ByteView tag, reader.take(xorb_footer_tag.size()));
    if (as_text(tag) != xorb_footer_tag)
      return fail(Reason::bad_request, "the xorb ends in something unknown");
    TRY(const uint8_t version, reader.u8());
    TRY(const ByteView hash, reader.take(expected.bytes.size()));
    if (version != 1) return fail(Reason::bad_request, "the xorb's footer has an unknown version");
    if (!std::equal(hash.begin(), hash.end(), expected.bytes.begin()))
      return fail(Reason::digest_mismatch, "the xorb's footer names another xorb");
  } else if (!pending_.empty()) {
    return fail(Reason::bad_request, "the xorb ends inside a chunk");
  }
  if (table_.size() == 0) return fail(Reason::bad_request, "the xorb has no chunks");
  if (hash_xorb(table_.leaves()) != expected)
    return fail(Reason::digest_mismatch, "the xorb is not what its name says");
  return std::move(table_);
}

}  // namespace holdfast::content
