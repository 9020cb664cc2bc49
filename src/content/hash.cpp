#include "content/hash.h"

#include <algorithm>
#include <charconv>

#include "codec/hex.h"
#include "content/xet_format.h"

namespace holdfast::content {
namespace {

uint64_t last_number(const std::array<std::byte, 32>& bytes) {
  uint64_t number = 0;
  std::memcpy(&number, bytes.data() + 24, sizeof number);
  return number;
}

// How many of the nodes that are left go under the next parent.
size_t group_size(std::span<const ChunkLeaf> left) {
  if (left.size() <= 2) return left.size();
  const size_t end = std::min(merkle_branching_max, left.size());
  for (size_t i = 2; i < end; ++i)
    if (last_number(left[i].hash.bytes) % merkle_branching_mean == 0) return i + 1;
  return end;
}

// Parents are hashed over text, as the protocol has it: "<hash> : <length>\n" a child.
ChunkLeaf parent_of(std::span<const ChunkLeaf> children) {
  std::string text;
  ChunkLeaf parent;
  for (const ChunkLeaf& child : children) {
    text += to_text(child.hash);
    text += " : ";
    text += std::to_string(child.length);
    text += '\n';
    parent.length += child.length;
  }
  parent.hash.bytes = codec::blake3_keyed(xet_keys::internal, as_bytes(text));
  return parent;
}

std::array<std::byte, 32> merkle_root(std::span<const ChunkLeaf> chunks) {
  if (chunks.empty()) return {};
  std::vector<ChunkLeaf> level(chunks.begin(), chunks.end());
  while (level.size() > 1) {
    size_t kept = 0;
    for (size_t at = 0; at < level.size();) {
      const size_t size = group_size(std::span(level).subspan(at));
      const ChunkLeaf parent = parent_of(std::span(level).subspan(at, size));
      at += size;
      level[kept++] = parent;  // Never ahead of what is still to be read.
    }
    level.resize(kept);
  }
  return level[0].hash.bytes;
}

}  // namespace

std::string hash_text(const std::array<std::byte, 32>& bytes) {
  std::array<std::byte, 32> turned;
  for (size_t group = 0; group < 32; group += 8)
    std::reverse_copy(bytes.begin() + group, bytes.begin() + group + 8, turned.begin() + group);
  return codec::to_hex(turned);
}

Result<std::array<std::byte, 32>> parse_hash_text(std::string_view text) {
  if (!codec::is_lower_hex(text, 64)) return fail(Reason::bad_request, "a hash has 64 hexadecimal digits");
  TRY(const Bytes turned, codec::from_hex(text));
  std::array<std::byte, 32> bytes;
  for (size_t group = 0; group < 32; group += 8)
    std::reverse_copy(turned.begin() + group, turned.begin() + group + 8, bytes.begin() + group);
  return bytes;
}

std::string to_text(const Sha256Digest& digest) { return codec::to_hex(digest); }

Result<Sha256Digest> parse_sha256(std::string_view text) {
  if (!codec::is_lower_hex(text, 64)) return fail(Reason::bad_request, "a SHA-256 has 64 hexadecimal digits");
  TRY(const Bytes bytes, codec::from_hex(text));
  Sha256Digest digest;
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

ChunkHash hash_chunk(ByteView uncompressed) { return {codec::blake3_keyed(xet_keys::data, uncompressed)}; }

XorbHash hash_xorb(std::span<const ChunkLeaf> chunks) { return {merkle_root(chunks)}; }

FileHash hash_file(std::span<const ChunkLeaf> chunks) {
  if (chunks.empty()) return {};
  return {codec::blake3_keyed(xet_keys::zero, merkle_root(chunks))};
}

RangeHash hash_range(std::span<const ChunkHash> chunks) {
  codec::Blake3 state = codec::Blake3::keyed(xet_keys::verification);
  for (const ChunkHash& chunk : chunks) state.update(chunk.bytes);
  return {state.finish()};
}

ChunkHash hash_for_answer(const std::array<std::byte, 32>& key, const ChunkHash& chunk) {
  return {codec::blake3_keyed(key, chunk.bytes)};
}

bool asked_for_globally(const ChunkHash& chunk) {
  return last_number(chunk.bytes) % global_dedup_modulus == 0;
}

}  // namespace holdfast::content
