#include "token/fast/short_merges.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

#include "token/fast/space_sign.h"

namespace holdfast::token {
// One text under merging. What is live are the places where a symbol begins.
struct ShortMerges::Lane {
  alignas(
      64) std::array<uint32_t, symbols_max> keys;  // Rank << place_bits | place, of a symbol and the next.
  std::array<uint32_t, symbols_max> ids;
  std::array<uint8_t, symbols_max + 1> begins;  // In bytes; the last is the end.
  uint32_t live = 0, symbols = 0;
  uint32_t id = 0, place = 0;  // Of the merge that is done save for the keys beside it.
  BpeJob* job = nullptr;
};

ShortMerges::ShortMerges(const TextSymbols& symbols, const PairTable& pairs)
    : pairs_(pairs),
      symbols_(symbols),
      byte_ids_(symbols.bytes()),
      byte_ranks_(size_t{256} * 256, PairTable::none) {
  const std::array<uint32_t, 256>& bytes = symbols.bytes();
  for (size_t left = 0; left < 256; ++left)
    for (size_t right = 0; right < 256; ++right)
      if (bytes[left] != PairTable::none && bytes[right] != PairTable::none)
        byte_ranks_[left << 8U | right] = pairs_.rank_of(bytes[left], bytes[right]);
  using Way = UnknownSymbols::Way;
  const UnknownSymbols& unknown = symbols.unknown();
  fuses_unknown_ = unknown.way == Way::one_for_all;
  for (size_t byte = 0; byte < 0x80 && unknown.way != Way::refuse; ++byte)
    if (bytes[byte] == PairTable::none)
      byte_ids_[byte] = unknown.way == Way::bytes ? unknown.bytes[byte] : unknown.one;
  sign_ranks_.fill(PairTable::none);
  constexpr uint32_t sign = 0x2581;
  if (bytes[static_cast<uint8_t>(space_sign[0])] != PairTable::none) return;
  sign_ = symbols.of_wide(sign);
  for (size_t right = 0; right < 256 && sign_ != PairTable::none; ++right)
    if (bytes[right] != PairTable::none) sign_ranks_[right] = pairs_.rank_of(sign_, bytes[right]);
}

bool ShortMerges::fill(std::string_view text, Symbols& out) const {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (text.size() > size_t{symbols_max} * 4) return false;
  const TextSymbols::Read read =
      symbols_.read(text, [&](uint32_t id, size_t at) { return out.put(id, static_cast<uint32_t>(at)); });
  if (read.bytes != text.size()) return false;
  const uint32_t count = out.count;
  out.begins[count] = static_cast<uint8_t>(text.size());
  const __m128i none = _mm_set1_epi32(static_cast<int>(nothing));
  for (size_t i = 0; i < symbols_max; i += 4) _mm_store_si128(reinterpret_cast<__m128i*>(out.keys + i), none);
  const uint32_t* const ranks = byte_ranks_.data();
  for (uint32_t i = 0; i + 1 < count; ++i)
    out.keys[i] =
        read.any_wide
            ? key_of(out.ids[i], out.ids[i + 1], i)
            : ranks[size_t{bytes[out.begins[i]]} << 8U | bytes[out.begins[i + 1]]] << place_bits | i;
  return true;
}

// The least key of each lane.
void ShortMerges::find_least(std::span<const Lane> lanes, uint32_t* least) {
  for (const Lane& lane : lanes) {
    uint32_t out = lane.keys[0];
    for (const uint32_t key : lane.keys) out = std::min(out, key);
    *least++ = out;
  }
}

__attribute__((target("avx2"))) void ShortMerges::find_least_by_avx2(std::span<const Lane> lanes,
                                                                     uint32_t* least) {
  for (const Lane& lane : lanes) {
    const auto* const at = reinterpret_cast<const __m256i*>(lane.keys.data());
    const __m256i both = _mm256_min_epu32(_mm256_load_si256(at), _mm256_load_si256(at + 1));
    __m128i out = _mm_min_epu32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    out = _mm_min_epu32(out, _mm_shuffle_epi32(out, 0x4E));
    out = _mm_min_epu32(out, _mm_shuffle_epi32(out, 0xB1));
    *least++ = static_cast<uint32_t>(_mm_cvtsi128_si32(out));
  }
}

// What is live is what merging makes of the text.
void ShortMerges::finish(const Lane& lane) {
  BpeJob& job = *lane.job;
  size_t count = 0;
  for (uint32_t live = lane.live; live != 0; ++count) {
    job.ids[count] = lane.ids.data()[std::countr_zero(live)];
    live &= live - 1;
    job.ends[count] = lane.begins.data()[live == 0 ? static_cast<int>(lane.symbols) : std::countr_zero(live)];
  }
  job.count = count;
  job.is_done = true;
}

// Reads of the ranks of the new neighbours are under way when this returns.
[[gnu::always_inline]] inline void ShortMerges::begin_merge(Lane& lane, uint32_t key) const {
  uint32_t* const ids = lane.ids.data();
  const uint32_t place = key & (symbols_max - 1);
  const uint32_t beyond = lane.live >> place >> 1U;  // Not 0: the pair has a rank.
  const uint32_t gone = place + 1 + static_cast<uint32_t>(std::countr_zero(beyond));
  const uint32_t id = pairs_.result_of(key >> place_bits);
  lane.live ^= 1U << gone;
  lane.keys.data()[gone] = nothing;
  ids[place] = lane.id = id;
  lane.place = place;
  const uint32_t after = lane.live >> gone, before = lane.live & ((1U << place) - 1);
  if (after != 0) pairs_.prefetch(id, ids[gone + static_cast<uint32_t>(std::countr_zero(after))]);
  if (before != 0) pairs_.prefetch(ids[31U - static_cast<uint32_t>(std::countl_zero(before))], id);
}

[[gnu::always_inline]] inline void ShortMerges::end_merge(Lane& lane) const {
  uint32_t *const keys = lane.keys.data(), *const ids = lane.ids.data();
  const uint32_t place = lane.place, id = lane.id;
  const uint32_t after = lane.live >> place >> 1U, before = lane.live & ((1U << place) - 1);
  keys[place] = after == 0
                    ? nothing
                    : key_of(id, ids[place + 1 + static_cast<uint32_t>(std::countr_zero(after))], place);
  if (before == 0) return;
  const auto previous = 31U - static_cast<uint32_t>(std::countl_zero(before));
  keys[previous] = key_of(ids[previous], id, previous);
}

void ShortMerges::run(std::span<BpeJob> jobs, Instructions instructions) const {
  if (instructions >= Instructions::avx512) {
    run_by_avx512(jobs);
    return;
  }
  constexpr size_t lanes_max = 16;
  Lane lanes[lanes_max];
  uint32_t least[lanes_max];
  bool is_merging[lanes_max];
  size_t active = 0, next = 0;
  const auto next_into = [&](Lane& lane) {
    while (next < jobs.size()) {
      BpeJob& job = jobs[next++];
      if (job.is_done) continue;
      Symbols symbols{lane.keys.data(), lane.ids.data(), lane.begins.data()};
      if (!fill(job.text, symbols)) continue;
      lane.symbols = symbols.count;
      lane.live = (1U << symbols.count) - 1;
      lane.job = &job;
      return true;
    }
    return false;
  };
  while (active < lanes_max && next_into(lanes[active])) ++active;
  while (active > 0) {
    if (instructions >= Instructions::avx2)
      find_least_by_avx2({lanes, active}, least);
    else
      find_least({lanes, active}, least);
    for (size_t i = 0; i < active;) {
      is_merging[i] = least[i] < nothing;
      if (is_merging[i]) {
        begin_merge(lanes[i], least[i]);
        ++i;
        continue;
      }
      finish(lanes[i]);
      if (next_into(lanes[i])) {
        ++i;
      } else if (--active != i) {
        lanes[i] = lanes[active];
        least[i] = least[active];
      }
    }
    for (size_t i = 0; i < active; ++i)
      if (is_merging[i]) end_merge(lanes[i]);
  }
}

}  // namespace holdfast::token
