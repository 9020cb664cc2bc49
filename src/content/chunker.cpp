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

// The hash depends on the last 64 bytes only, so four places are searched at once: one alone waits for each
// addition, four keep the machine busy. The first of them that cuts wins.
size_t find_cut(ByteView bytes) {
  const std::byte* const data = bytes.data();
  const size_t end = std::min(bytes.size(), chunk_bytes_max);
  constexpr size_t lane = 2048;
  size_t size = chunk_bytes_min;  // A chunk of this size is the next to be tested.
  while (size + 4 * lane <= end) {
    const std::byte* const at = data + size;
    uint64_t h0 = gear(at - gear_window, gear_window), h1 = gear(at + lane - gear_window, gear_window),
             h2 = gear(at + 2 * lane - gear_window, gear_window),
             h3 = gear(at + 3 * lane - gear_window, gear_window);
    size_t found = 4 * lane;
    for (size_t i = 0; i < lane; ++i) {
      // Tested before the byte is added: the chunk of size `size + i` ends before byte `at[i]`.
      if (std::min(std::min(h0, h1), std::min(h2, h3)) < cut_limit) [[unlikely]] {
        if (h0 < cut_limit) return size + i;
        if (h1 < cut_limit) found = std::min(found, lane + i);
        if (h2 < cut_limit) found = std::min(found, 2 * lane + i);
        if (h3 < cut_limit) found = std::min(found, 3 * lane + i);
      }
      h0 = (h0 << 1) + gear_table[std::to_integer<uint8_t>(at[i])];
      h1 = (h1 << 1) + gear_table[std::to_integer<uint8_t>(at[i + lane])];
      h2 = (h2 << 1) + gear_table[std::to_integer<uint8_t>(at[i + 2 * lane])];
      h3 = (h3 << 1) + gear_table[std::to_integer<uint8_t>(at[i + 3 * lane])];
    }
    if (found < 4 * lane) return size + found;
    size += 4 * lane;
  }
  if (size > bytes.size()) return 0;
  uint64_t hash = gear(data + size - gear_window, gear_window);
  for (; size < end; ++size) {
    if (hash < cut_limit) return size;
    hash = (hash << 1) + gear_table[std::to_integer<uint8_t>(data[size])];
  }
  return hash < cut_limit || size == chunk_bytes_max ? size : 0;
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
