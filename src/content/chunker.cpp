#include "content/chunker.h"

#include <algorithm>

#include "content/gear_table.h"
#include "content/xet_format.h"

namespace holdfast::content {
namespace {

constexpr uint64_t cut_limit = 1ULL << 48;
static_assert(chunk_cut_mask == ~(cut_limit - 1));  // So "the masked bits are zero" is one comparison.
constexpr size_t gear_window = 64;                  // Older bytes have been shifted out of the hash.

uint64_t gear(const std::byte* bytes, size_t count) {
  uint64_t hash = 0;
  for (size_t i = 0; i < count; ++i) hash = (hash << 1) + gear_table[std::to_integer<uint8_t>(bytes[i])];
  return hash;
}

}  // namespace

// The hash depends on the last 64 bytes only, so it starts just before the first place that may cut. Places
// are tested sixteen at a time, one branch for all: the additions then run at a byte a cycle.
size_t find_cut(ByteView bytes) {
  if (bytes.size() < chunk_bytes_min) return 0;
  const std::byte* const data = bytes.data();
  const size_t end = std::min(bytes.size(), chunk_bytes_max);
  constexpr size_t step = 16;
  uint64_t hash = gear(data + chunk_bytes_min - gear_window, gear_window);
  if (hash < cut_limit) return chunk_bytes_min;
  size_t size = chunk_bytes_min;  // `hash` is that of a chunk of this size, and it does not cut.
  for (; size + step <= end; size += step) {
    const uint64_t before = hash;
    bool cuts = false;
#pragma GCC unroll 16
    for (size_t i = 0; i < step; ++i) {
      hash = (hash << 1) + gear_table[std::to_integer<uint8_t>(data[size + i])];
      cuts |= hash < cut_limit;
    }
    if (cuts) [[unlikely]] {
      hash = before;
      break;
    }
  }
  while (size < end) {
    hash = (hash << 1) + gear_table[std::to_integer<uint8_t>(data[size])];
    ++size;
    if (hash < cut_limit) return size;
  }
  return size == chunk_bytes_max ? size : 0;
}

size_t find_cut_plain(ByteView bytes) {
  uint64_t hash = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    hash = (hash << 1) + gear_table[std::to_integer<uint8_t>(bytes[i])];
    const size_t size = i + 1;
    if (size < chunk_bytes_min) continue;
    if (size >= chunk_bytes_max || (hash & chunk_cut_mask) == 0) return size;
  }
  return 0;
}

}  // namespace holdfast::content
