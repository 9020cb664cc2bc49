#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "content/hash.h"
#include "content/term.h"
#include "content/xet_format.h"

// The serialised xorb: docs/formats/xorb.md.
namespace holdfast::content {

struct ChunkHeader {
  Scheme scheme = Scheme::raw;
  uint32_t stored = 0;  // Bytes that follow the header.
  uint32_t length = 0;  // Of the chunk.
};
using ChunkHeaderBytes = std::array<std::byte, chunk_header_bytes>;
ChunkHeaderBytes write_chunk_header(const ChunkHeader& header);
// bad_request for an unknown version or scheme and for lengths over the limits.
Result<ChunkHeader> parse_chunk_header(std::span<const std::byte, chunk_header_bytes> bytes);

// Fills `into`, whose size is the chunk's length; bad_request when the bytes do not make exactly that.
Status decode_chunk(Scheme scheme, ByteView stored, std::span<std::byte> into);

// Where a xorb's chunks lie. Chunk i is bytes [stored_end(i-1), stored_end(i)) of the serialised form, header
// included, and [end(i-1), end(i)) of the uncompressed chunks put together.
class XorbTable {
 public:
  struct Entry {
    ChunkHash hash;
    uint32_t stored_end = 0, end = 0;
    Scheme scheme = Scheme::raw;
  };

  void add(const ChunkHash& hash, const ChunkHeader& header);
  size_t size() const { return entries_.size(); }
  const Entry& operator[](size_t index) const { return entries_[index]; }
  uint32_t stored_begin(size_t index) const { return index == 0 ? 0 : entries_[index - 1].stored_end; }
  uint32_t begin(size_t index) const { return index == 0 ? 0 : entries_[index - 1].end; }
  uint32_t length(size_t index) const { return entries_[index].end - begin(index); }
  uint32_t stored_bytes() const { return entries_.empty() ? 0 : entries_.back().stored_end; }
  uint32_t bytes() const { return entries_.empty() ? 0 : entries_.back().end; }
  uint32_t length(const ChunkRange& chunks) const { return begin(chunks.end) - begin(chunks.first); }
  bool holds(const ChunkRange& chunks) const { return chunks.first < chunks.end && chunks.end <= size(); }
  std::vector<ChunkLeaf> leaves(const ChunkRange& chunks) const;
  std::vector<ChunkLeaf> leaves() const { return leaves({0, static_cast<uint32_t>(size())}); }
  RangeHash range_hash(const ChunkRange& chunks) const;

  // As kept in the database: 41 bytes a chunk.
  Bytes pack() const;
  static Result<XorbTable> unpack(ByteView packed);

 private:
  std::vector<Entry> entries_;
};

// Reads a serialised xorb that comes in pieces, decodes and hashes each chunk. Holds one chunk at most.
// Errors are final: bad_request, or too_large.
class XorbParser {
 public:
  // Hears the bytes of each chunk, in order, before the xorb is known to be whole.
  using EachChunk = std::function<void(ByteView)>;
  explicit XorbParser(EachChunk each_chunk = {}) : each_chunk_(std::move(each_chunk)) {}
  Status write(ByteView bytes);
  // digest_mismatch when the chunks are not those of `expected`.
  Result<XorbTable> finish(const XorbHash& expected);
  // How many of the bytes given are chunks, and not a footer; final after `finish`.
  uint64_t chunk_bytes() const { return table_.stored_bytes(); }

 private:
  Status step();

  EachChunk each_chunk_;
  XorbTable table_;
  Bytes pending_;  // The chunk that is not whole yet, or the footer.
  Bytes decoded_;
  bool in_footer_ = false;
};

}  // namespace holdfast::content
