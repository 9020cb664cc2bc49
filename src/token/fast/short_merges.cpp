#include "token/fast/short_merges.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>

#include "token/fast/space_sign.h"

namespace holdfast::token {
namespace {

uint32_t bytes_of_lead(uint8_t lead) { return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

}  // namespace

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

ShortMerges::ShortMerges(const std::array<uint32_t, 256>& symbols, const PairTable& pairs,
                         const PrefixTree& tree, const UnknownSymbols& unknown)
    : pairs_(pairs),
      tree_(tree),
      symbols_(symbols),
      unknown_(unknown),
      byte_ranks_(size_t{256} * 256, PairTable::none) {
  for (size_t left = 0; left < 256; ++left)
    for (size_t right = 0; right < 256; ++right)
      if (symbols_[left] != PairTable::none && symbols_[right] != PairTable::none)
        byte_ranks_[left << 8U | right] = pairs_.rank_of(symbols_[left], symbols_[right]);
  sign_ranks_.fill(PairTable::none);
  const PrefixTree::Node sign = tree_.walk(space_sign);
  if (symbols_[static_cast<uint8_t>(space_sign[0])] != PairTable::none || sign.is_none() || !sign.has_value())
    return;
  sign_ = sign.value();
  for (size_t right = 0; right < 256; ++right)
    if (symbols_[right] != PairTable::none) sign_ranks_[right] = pairs_.rank_of(sign_, symbols_[right]);
}

bool ShortMerges::put_unknown(std::string_view character, uint32_t at, Symbols& out) const {
  switch (unknown_.way) {
    case UnknownSymbols::Way::refuse:
      return false;
    case UnknownSymbols::Way::bytes:
      return std::all_of(character.begin(), character.end(), [&](char byte) {
        return out.put(unknown_.bytes[static_cast<uint8_t>(byte)], at++);
      });
    case UnknownSymbols::Way::one_for_all:
      return (out.count > 0 && out.ids[out.count - 1] == unknown_.one) || out.put(unknown_.one, at);
    case UnknownSymbols::Way::one_each:
      return out.put(unknown_.one, at);
  }
  return false;
}

bool ShortMerges::fill(std::string_view text, Symbols& out) const {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  const size_t size = text.size();
  if (size > size_t{symbols_max} * 4) return false;
  const uint32_t* const symbols = symbols_.data();
  const uint32_t* const ranks = byte_ranks_.data();
  bool wide = false;
  for (uint32_t at = 0; at < size;) {
    uint32_t id = symbols[bytes[at]], character = 1;
    if (id == PairTable::none) [[unlikely]] {
      if (bytes[at] >= 0x80) character = bytes_of_lead(bytes[at]);
      if (bytes[at] - 0x80U < 0x40 || at + character > size) return false;
      const std::string_view one = text.substr(at, character);
      const PrefixTree::Node node = character > 1 ? tree_.walk(one) : PrefixTree::Node();
      wide = true;
      if (node.is_none() || !node.has_value()) {
        if (!put_unknown(one, at, out)) return false;
        at += character;
        continue;
      }
      id = node.value();
    }
    if (!out.put(id, at)) return false;
    at += character;
  }
  const uint32_t count = out.count;
  out.begins[count] = static_cast<uint8_t>(size);
  const __m128i none = _mm_set1_epi32(static_cast<int>(nothing));
  for (size_t i = 0; i < symbols_max; i += 4) _mm_store_si128(reinterpret_cast<__m128i*>(out.keys + i), none);
  for (uint32_t i = 0; i + 1 < count; ++i)
    out.keys[i] = wide ? key_of(out.ids[i], out.ids[i + 1], i)
                       : ranks[size_t{bytes[i]} << 8U | bytes[i + 1]] << place_bits | i;
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
