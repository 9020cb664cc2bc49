#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace holdfast::codec {

using Blake3Digest = std::array<std::byte, 32>;
using Blake3Key = std::array<std::byte, 32>;

// BLAKE3 of bytes that come in pieces, plain or keyed (github.com/BLAKE3-team/BLAKE3, the specification's
// hash and keyed_hash modes with 32 bytes of output). The compression runs on the widest vectors the machine
// has. A value: copying it copies the state. Used by one thread at a time.
class Blake3 {
 public:
  static constexpr size_t block_bytes = 64;
  static constexpr size_t chunk_bytes = 1024;
  static constexpr int depth_max = 54;  // 2^54 chunks of 1 KiB are 2^64 bytes.

  Blake3();
  static Blake3 keyed(const Blake3Key& key);

  void update(ByteView bytes);
  // Of everything given so far; more may follow.
  Blake3Digest finish() const;

 private:
  using Words = std::array<uint32_t, 8>;

  Blake3(const Words& key, uint32_t flags) : key_(key), flags_(flags) {}
  void push_chunks(const std::byte* input, size_t count);
  void push_subtree(const Words& value, uint64_t chunks);

  Words key_;
  uint32_t flags_;
  uint64_t chunks_done_ = 0;  // Whole chunks that are in the stack.
  int depth_ = 0;
  std::array<Words, depth_max + 1> stack_{};   // Chaining values of finished subtrees, largest first.
  std::array<std::byte, chunk_bytes> tail_{};  // The last chunk, perhaps whole: it may be the root.
  size_t tail_size_ = 0;
};

Blake3Digest blake3(ByteView bytes);
Blake3Digest blake3_keyed(const Blake3Key& key, ByteView bytes);

}  // namespace holdfast::codec
