#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/sha256.h"

namespace holdfast::content {

// A 32-byte name of content in the Xet protocol; names of different things are different types. Bytes are as
// on the wire. Text form: four little-endian numbers of 64 bits, each printed as 16 hexadecimal digits, which
// is not the plain hexadecimal of the bytes.
template <class Tag>
struct Hash {
  std::array<std::byte, 32> bytes{};
  friend auto operator<=>(const Hash&, const Hash&) = default;
  bool zero() const { return *this == Hash{}; }
};
using ChunkHash = Hash<struct ChunkTag>;
using XorbHash = Hash<struct XorbTag>;
using FileHash = Hash<struct FileTag>;    // Zero for the empty file.
using RangeHash = Hash<struct RangeTag>;  // Proves that a shard's writer knows the chunks of a term.
using codec::Sha256Digest;

std::string hash_text(const std::array<std::byte, 32>& bytes);
// Exactly 64 lower-case digits; else bad_request.
Result<std::array<std::byte, 32>> parse_hash_text(std::string_view text);

template <class Tag>
std::string to_text(const Hash<Tag>& hash) {
  return hash_text(hash.bytes);
}
template <class H>
Result<H> parse_hash(std::string_view text) {
  TRY(auto bytes, parse_hash_text(text));
  return H{bytes};
}

// Plain hexadecimal, as git-lfs writes it.
std::string to_text(const Sha256Digest& digest);
Result<Sha256Digest> parse_sha256(std::string_view text);

// One chunk as the trees below count it.
struct ChunkLeaf {
  ChunkHash hash;
  uint64_t length = 0;
};

// Formulas: xet-core's merklehash, as given in docs/formats/xorb.md.
ChunkHash hash_chunk(ByteView uncompressed);
XorbHash hash_xorb(std::span<const ChunkLeaf> chunks);
FileHash hash_file(std::span<const ChunkLeaf> chunks);
RangeHash hash_range(std::span<const ChunkHash> chunks);
// The name of a chunk in a dedup answer whose shard has this key.
ChunkHash hash_for_answer(const std::array<std::byte, 32>& key, const ChunkHash& chunk);
// Whether a client may ask for this chunk by name when it is not the first of a file.
bool asked_for_globally(const ChunkHash& chunk);

// First eight bytes as a number: what indexes are keyed by.
template <class Tag>
int64_t short_key(const Hash<Tag>& hash) {
  int64_t key = 0;
  std::memcpy(&key, hash.bytes.data(), sizeof key);
  return key;
}

}  // namespace holdfast::content

template <class Tag>
struct std::hash<holdfast::content::Hash<Tag>> {
  size_t operator()(const holdfast::content::Hash<Tag>& key) const noexcept {
    return static_cast<size_t>(holdfast::content::short_key(key));
  }
};
