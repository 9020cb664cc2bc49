#include "codec/blake3.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "codec/blake3_kernel.h"

namespace holdfast::codec {
namespace {

using blake3_kernel::Job;
using Words = std::array<uint32_t, 8>;

constexpr size_t batch_chunks = 64;  // Of leaves reduced to one node at a time; a power of two.

blake3_kernel::HashMany hash_many() {
  static const blake3_kernel::HashMany fastest = blake3_kernel::kernels().back().hash_many;
  return fastest;
}

Words words_of(const Blake3Key& key) {
  Words words;
  std::memcpy(words.data(), key.data(), key.size());
  return words;
}

Words parent_of(const Words& left, const Words& right, const Words& key, uint32_t flags) {
  std::byte block[64];
  std::memcpy(block, left.data(), 32);
  std::memcpy(block + 32, right.data(), 32);
  Words value = key;
  blake3_kernel::compress(value, block, 64, 0, flags | blake3_kernel::parent);
  return value;
}

using Level = std::array<Words, batch_chunks>;

// The chaining values of `count` whole chunks, at most batch_chunks.
void hash_leaves(const std::byte* input, size_t count, uint64_t counter, const Words& key, uint32_t flags,
                 Level& out) {
  std::array<const std::byte*, batch_chunks> inputs;
  for (size_t i = 0; i < count; ++i) inputs[i] = input + i * Blake3::chunk_bytes;
  hash_many()({.key = &key,
               .blocks = Blake3::chunk_bytes / Blake3::block_bytes,
               .counter = counter,
               .counter_step = 1,
               .flags = flags,
               .first = blake3_kernel::chunk_start,
               .last = blake3_kernel::chunk_end},
              inputs.data(), count, out.data());
}

// The node over `count` neighbours, a power of two. Overwrites them.
Words reduce(Words* level, size_t count, const Words& key, uint32_t flags) {
  std::array<const std::byte*, batch_chunks / 2> inputs;
  Level above;
  for (; count > 1; count /= 2) {
    for (size_t i = 0; i < count / 2; ++i) inputs[i] = reinterpret_cast<const std::byte*>(&level[2 * i]);
    hash_many()({.key = &key, .blocks = 1, .flags = flags | blake3_kernel::parent}, inputs.data(), count / 2,
                above.data());
    std::copy_n(above.begin(), count / 2, level);
  }
  return level[0];
}

}  // namespace

Blake3::Blake3() : Blake3(blake3_kernel::initial, 0) {}

Blake3 Blake3::keyed(const Blake3Key& key) { return {words_of(key), blake3_kernel::keyed_hash}; }

// Cut into the largest subtrees that are aligned where they start.
void Blake3::push_chunks(const std::byte* input, size_t count) {
  Level leaves;
  hash_leaves(input, count, chunks_done_, key_, flags_, leaves);
  for (size_t done = 0; done < count;) {
    size_t size = std::bit_floor(count - done);
    if (chunks_done_ != 0) size = std::min<uint64_t>(size, chunks_done_ & -chunks_done_);
    push_subtree(reduce(leaves.data() + done, size, key_, flags_), size);
    done += size;
  }
}

// More input follows, so no merge here can be the root.
void Blake3::push_subtree(const Words& value, uint64_t chunks) {
  Words merged = value;
  chunks_done_ += chunks;
  for (uint64_t total = chunks_done_ / chunks; (total & 1) == 0; total >>= 1)
    merged = parent_of(stack_[--depth_], merged, key_, flags_);
  stack_[depth_++] = merged;
}

void Blake3::update(ByteView bytes) {
  while (!bytes.empty()) {
    if (tail_size_ == chunk_bytes) {
      push_chunks(tail_.data(), 1);
      tail_size_ = 0;
    }
    if (tail_size_ == 0 && bytes.size() > chunk_bytes) {
      // Up to where a whole batch would start, leaving at least a byte: the last chunk may be the root.
      const size_t chunks =
          std::min<uint64_t>((bytes.size() - 1) / chunk_bytes, batch_chunks - chunks_done_ % batch_chunks);
      push_chunks(bytes.data(), chunks);
      bytes = bytes.subspan(chunks * chunk_bytes);
      continue;
    }
    const size_t taken = std::min(bytes.size(), chunk_bytes - tail_size_);
    std::memcpy(tail_.data() + tail_size_, bytes.data(), taken);
    tail_size_ += taken;
    bytes = bytes.subspan(taken);
  }
}

Blake3Digest Blake3::finish() const {
  const uint32_t root_if_alone = depth_ == 0 ? blake3_kernel::root : 0;
  Words value = key_;
  uint32_t start = blake3_kernel::chunk_start;
  size_t at = 0;
  for (; tail_size_ - at > block_bytes; at += block_bytes, start = 0)
    blake3_kernel::compress(value, tail_.data() + at, block_bytes, chunks_done_, flags_ | start);
  std::byte last[block_bytes] = {};
  std::memcpy(last, tail_.data() + at, tail_size_ - at);
  blake3_kernel::compress(value, last, static_cast<uint32_t>(tail_size_ - at), chunks_done_,
                          flags_ | start | blake3_kernel::chunk_end | root_if_alone);
  for (int level = depth_ - 1; level >= 0; --level)
    value = parent_of(stack_[level], value, key_, flags_ | (level == 0 ? blake3_kernel::root : 0));
  Blake3Digest digest;
  std::memcpy(digest.data(), value.data(), digest.size());
  return digest;
}

Blake3Digest blake3(ByteView bytes) {
  Blake3 state;
  state.update(bytes);
  return state.finish();
}

Blake3Digest blake3_keyed(const Blake3Key& key, ByteView bytes) {
  Blake3 state = Blake3::keyed(key);
  state.update(bytes);
  return state.finish();
}

}  // namespace holdfast::codec
