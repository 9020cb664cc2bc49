#include "token/fast/merge_lanes.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

namespace holdfast::token {
namespace {

using Keys = std::array<uint32_t, MergeLanes::symbols_max>;

uint32_t least_of(const Keys& keys) {
  uint32_t out = keys[0];
  for (const uint32_t key : keys) out = std::min(out, key);
  return out;
}

__attribute__((target("avx2"))) inline uint32_t least_by_avx2(const Keys& keys) {
  const auto* const at = reinterpret_cast<const __m256i*>(keys.data());
  __m256i least = _mm256_load_si256(at), other = _mm256_load_si256(at + 1);
  for (size_t i = 2; i < MergeLanes::symbols_max / 8; i += 2) {
    least = _mm256_min_epu32(least, _mm256_load_si256(at + i));
    other = _mm256_min_epu32(other, _mm256_load_si256(at + i + 1));
  }
  least = _mm256_min_epu32(least, other);
  __m128i half = _mm_min_epu32(_mm256_castsi256_si128(least), _mm256_extracti128_si256(least, 1));
  half = _mm_min_epu32(half, _mm_shuffle_epi32(half, 0x4E));
  half = _mm_min_epu32(half, _mm_shuffle_epi32(half, 0xB1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(half));
}

size_t bytes_of_lead(uint8_t lead) { return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

}  // namespace

MergeLanes::MergeLanes(const std::array<uint32_t, 256>& symbols, const PairTable& pairs,
                       const PrefixTree& tree)
    : pairs_(pairs), tree_(tree), symbols_(symbols), ascii_ranks_(size_t{128} * 128, PairTable::none) {
  for (size_t left = 0; left < 128; ++left)
    for (size_t right = 0; right < 128; ++right)
      if (symbols_[left] != PairTable::none && symbols_[right] != PairTable::none)
        ascii_ranks_[left << 7U | right] = pairs_.rank_of(symbols_[left], symbols_[right]);
}

size_t MergeLanes::fill(Lane& lane, std::string_view text) const {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  size_t used = 0, at = 0;
  for (; used < symbols_max && at < text.size(); ++used) {
    lane.begins[used] = static_cast<uint16_t>(at);
    uint32_t id = symbols_[bytes[at]];
    size_t size = 1;
    if (id == PairTable::none) {
      size = bytes[at] < 0xC0 ? 1 : bytes_of_lead(bytes[at]);
      const PrefixTree::Node node = tree_.walk(text.substr(at, size));
      if (size == 1 || at + size > text.size() || node.is_none() || !node.has_value()) return 0;
      id = node.value();
    }
    lane.ids[used] = id;
    at += size;
  }
  lane.begins[used] = static_cast<uint16_t>(at);
  lane.size = used;
  lane.live = used == symbols_max ? ~uint64_t{0} : (uint64_t{1} << used) - 1;
  for (uint32_t i = 0; i + 1 < used; ++i) {
    const uint8_t left = bytes[lane.begins[i]], right = bytes[lane.begins[i + 1]];
    if (((left | right) & 0x80U) == 0) {
      lane.keys[i] = ascii_ranks_[size_t{left} << 7U | right] << place_bits | i;
    } else {
      lane.keys[i] = key_of(lane.ids[i], lane.ids[i + 1], i);
    }
  }
  for (size_t i = used - 1; i < symbols_max; ++i) lane.keys[i] = nothing;
  return at;
}

// Reads of the ranks of the new neighbours are under way when this returns.
[[gnu::always_inline]] inline MergeLanes::Merged MergeLanes::begin_merge(Lane& lane, uint32_t key) const {
  const uint32_t place = key & (symbols_max - 1);
  // There is a next one, as the pair has a rank.
  const uint64_t beyond = lane.live & ~((uint64_t{2} << place) - 1);
  const auto next = static_cast<uint32_t>(std::countr_zero(beyond));
  const uint64_t after = beyond & (beyond - 1), before = lane.live & ((uint64_t{1} << place) - 1);
  const uint32_t id = pairs_.result_of(key >> place_bits);
  lane.ids[place] = id;
  lane.live ^= uint64_t{1} << next;
  lane.keys[next] = nothing;
  if (after != 0) pairs_.prefetch(id, lane.ids[static_cast<size_t>(std::countr_zero(after))]);
  if (before != 0) pairs_.prefetch(lane.ids[static_cast<size_t>(63 - std::countl_zero(before))], id);
  return {&lane, id, place, before, after};
}

[[gnu::always_inline]] inline void MergeLanes::end_merge(const Merged& merged) const {
  Lane& lane = *merged.lane;
  lane.keys[merged.place] =
      merged.after == 0
          ? nothing
          : key_of(merged.id, lane.ids[static_cast<size_t>(std::countr_zero(merged.after))], merged.place);
  if (merged.before == 0) return;
  const auto previous = static_cast<uint32_t>(63 - std::countl_zero(merged.before));
  lane.keys[previous] = key_of(lane.ids[previous], merged.id, previous);
}

__attribute__((target("avx2,bmi,bmi2"))) void MergeLanes::merge_by_avx2(std::span<Lane> lanes) const {
  std::array<Merged, count> merged;
  for (size_t made = 1; made > 0;) {
    made = 0;
    for (Lane& lane : lanes)
      if (const uint32_t key = least_by_avx2(lane.keys); key < nothing)
        merged[made++] = begin_merge(lane, key);
    for (size_t i = 0; i < made; ++i) end_merge(merged[i]);
  }
}

void MergeLanes::merge(std::span<Lane> lanes, Instructions instructions) const {
  if (instructions >= Instructions::avx512) {
    merge_by_avx512(lanes);
    return;
  }
  if (instructions >= Instructions::avx2) {
    merge_by_avx2(lanes);
    return;
  }
  std::array<Merged, count> merged;
  for (size_t made = 1; made > 0;) {
    made = 0;
    for (Lane& lane : lanes)
      if (const uint32_t key = least_of(lane.keys); key < nothing) merged[made++] = begin_merge(lane, key);
    for (size_t i = 0; i < made; ++i) end_merge(merged[i]);
  }
}

}  // namespace holdfast::token
