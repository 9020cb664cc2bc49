#include "content/hash.h"

#include <algorithm>

#include "codec/hex.h"
#include "content/merkle_tree.h"
#include "content/xet_format.h"

namespace holdfast::content {
namespace {

uint64_t last_number(const std::array<std::byte, 32>& bytes) {
  uint64_t number = 0;
  std::memcpy(&number, bytes.data() + 24, sizeof number);
  return number;
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

XorbHash hash_xorb(std::span<const ChunkLeaf> chunks) {
  MerkleTree tree;
  for (const ChunkLeaf& chunk : chunks) tree.add(chunk);
  return tree.xorb_hash();
}

FileHash hash_file(std::span<const ChunkLeaf> chunks) {
  MerkleTree tree;
  for (const ChunkLeaf& chunk : chunks) tree.add(chunk);
  return tree.file_hash();
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
