// As short_merges.cpp, by whole lines of the table of pairs.
#include <algorithm>
#include <bit>

#include "token/fast/avx512_pairs.h"
#include "token/fast/short_merges.h"
#include "token/fast/space_sign.h"

namespace holdfast::token {

// Symbols are at places from 1 on; before and behind them is one that no pair has.
struct ShortMerges::WideLane {
  alignas(64) uint32_t keys[symbols_max + 1];  // Of place i + 1; the last is of none.
  uint32_t ids[symbols_max + 2];
  uint8_t begins[symbols_max + 1];  // Of place i + 1.
  uint32_t live = 0;                // Places of symbols and the two around them.
  // Of the merge that is done save for the keys beside it: its place, and of the one before it the index.
  uint32_t place = 0, left = 0;
  avx512::Neighbours with_left, with_right;
  BpeJob* job = nullptr;
};

namespace {

bool has_neighbours(uint32_t bits) { return (bits & bits << 1U) != 0; }

}  // namespace

// Up to 16 bytes that are symbols, at once.
HOLD_AVX512 bool ShortMerges::fill_bytes(WideLane& lane, std::string_view text) const {
  const size_t size = text.size();
  const __mmask16 there = static_cast<__mmask16>((1U << size) - 1), pairs = there >> 1U;
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(there, text.data()));
  const __m512i next = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(pairs, text.data() + 1));
  const __m512i none = _mm512_set1_epi32(-1);
  const __m512i ids = _mm512_mask_i32gather_epi32(none, there, bytes, byte_ids_.data(), 4);
  if ((_mm512_cmpeq_epi32_mask(ids, none) & there) != 0) return false;
  if (fuses_unknown_ && has_neighbours(_mm512_cmpeq_epi32_mask(
                            ids, _mm512_set1_epi32(static_cast<int>(symbols_.unknown().one)))))
    return false;
  const __m512i both = _mm512_or_si512(_mm512_slli_epi32(bytes, 8), next);
  const __m512i places = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i ranks = _mm512_mask_i32gather_epi32(none, pairs, both, byte_ranks_.data(), 4);
  _mm512_store_si512(lane.keys, _mm512_or_si512(_mm512_slli_epi32(ranks, place_bits), places));
  _mm512_storeu_si512(lane.ids + 1, ids);
  lane.ids[size + 1] = PairTable::no_id;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lane.begins), _mm512_cvtepi32_epi8(places));
  lane.begins[size] = static_cast<uint8_t>(size);
  lane.live = (4U << size) - 1;
  return true;
}

// The sign for a space and up to 15 such bytes, one place further on.
HOLD_AVX512 bool ShortMerges::fill_signed(WideLane& lane, std::string_view text) const {
  const size_t sign_bytes = space_sign.size(), size = text.size() - sign_bytes;
  const auto* const at = reinterpret_cast<const uint8_t*>(text.data()) + sign_bytes;
  const __mmask16 there = static_cast<__mmask16>((1U << size) - 1), pairs = there >> 1U;
  const __m512i bytes = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(there, at));
  const __m512i next = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(pairs, at + 1));
  const __m512i none = _mm512_set1_epi32(-1);
  const __m512i ids = _mm512_mask_i32gather_epi32(none, there, bytes, byte_ids_.data(), 4);
  if ((_mm512_cmpeq_epi32_mask(ids, none) & there) != 0) return false;
  if (fuses_unknown_ && has_neighbours(_mm512_cmpeq_epi32_mask(
                            ids, _mm512_set1_epi32(static_cast<int>(symbols_.unknown().one)))))
    return false;
  const __m512i both = _mm512_or_si512(_mm512_slli_epi32(bytes, 8), next);
  const __m512i places = _mm512_set_epi32(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
  const __m512i ranks = _mm512_mask_i32gather_epi32(none, pairs, both, byte_ranks_.data(), 4);
  _mm512_storeu_si512(lane.keys + 1, _mm512_or_si512(_mm512_slli_epi32(ranks, place_bits), places));
  lane.keys[0] = sign_ranks_[*at] << place_bits;
  _mm512_mask_storeu_epi32(lane.ids + 2, there, ids);
  lane.ids[1] = sign_;
  lane.ids[size + 2] = PairTable::no_id;
  const __m128i ends = _mm_add_epi8(_mm512_cvtepi32_epi8(places), _mm_set1_epi8(2));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lane.begins + 1), ends);
  lane.begins[0] = 0;
  lane.live = (8U << size) - 1;
  return true;
}

HOLD_AVX512 bool ShortMerges::fill_wide(WideLane& lane, BpeJob& job) const {
  if (job.is_done) return false;
  const std::string_view text = job.text;
  lane.job = &job;
  lane.ids[0] = PairTable::no_id;
  if (sign_ != PairTable::none && text.size() > space_sign.size() && text.starts_with(space_sign)) {
    if (text.size() < space_sign.size() + symbols_max && fill_signed(lane, text)) return true;
  } else if (text.size() <= symbols_max && fill_bytes(lane, text)) {
    return true;
  }
  Symbols symbols{lane.keys, lane.ids + 1, lane.begins};
  if (!fill(text, symbols)) return false;
  lane.ids[symbols.count + 1] = PairTable::no_id;
  lane.live = (4U << symbols.count) - 1;
  return true;
}

HOLD_AVX512 void ShortMerges::finish_wide(const WideLane& lane) {
  BpeJob& job = *lane.job;
  const uint32_t symbols = (1U << (30 - std::countl_zero(lane.live))) - 1;  // Without what is around them.
  const auto live = static_cast<__mmask16>(lane.live >> 1U & symbols),
             ends = static_cast<__mmask16>(lane.live >> 2U);
  const auto count = static_cast<uint32_t>(std::popcount(static_cast<uint32_t>(live)));
  const auto out = static_cast<__mmask16>((1U << count) - 1);
  _mm512_mask_storeu_epi32(job.ids, out, _mm512_maskz_compress_epi32(live, _mm512_loadu_si512(lane.ids + 1)));
  const __m128i begins = _mm_loadu_si128(reinterpret_cast<const __m128i*>(lane.begins + 1));
  _mm512_mask_storeu_epi32(job.ends, out, _mm512_maskz_compress_epi32(ends, _mm512_cvtepu8_epi32(begins)));
  job.count = count;
  job.is_done = true;
}

HOLD_AVX512 void ShortMerges::run_by_avx512(std::span<BpeJob> jobs) const {
  constexpr size_t lanes_max = 16;
  constexpr uint32_t no_key = avx512::no_rank << place_bits;  // And what is above.
  WideLane lanes[lanes_max];
  size_t active = 0, next = 0;
  for (; active < lanes_max && next < jobs.size(); ++next)
    if (fill_wide(lanes[active], jobs[next])) ++active;
  while (active > 0) {
    for (size_t i = 0; i < active;) {
      WideLane& lane = lanes[i];
      const uint32_t key = avx512::least_of(avx512::load_keys(lane.keys));
      if (key < no_key) [[likely]] {
        const uint32_t place = (key & (symbols_max - 1)) + 1;
        const auto gone = static_cast<uint32_t>(std::countr_zero(lane.live >> place >> 1U)) + place + 1;
        const auto after = static_cast<uint32_t>(std::countr_zero(lane.live >> gone >> 1U)) + gone + 1;
        const auto before = 31U - static_cast<uint32_t>(std::countl_zero(lane.live & ((1U << place) - 1)));
        const uint32_t id = pairs_.result_of(key >> place_bits);
        lane.live ^= 1U << gone;
        lane.keys[gone - 1] = nothing;
        lane.ids[place] = id;
        lane.place = place;
        lane.left = std::min(before - 1, symbols_max);
        lane.with_left.meet(pairs_, lane.ids[before], id);
        lane.with_right.meet(pairs_, id, lane.ids[after]);
        ++i;
        continue;
      }
      finish_wide(lane);
      bool filled = false;
      while (!filled && next < jobs.size()) filled = fill_wide(lane, jobs[next++]);
      if (!filled && --active != i) lane = lanes[active];
    }
    for (size_t i = 0; i < active; ++i) {
      WideLane& lane = lanes[i];
      const uint32_t at = lane.place - 1;
      lane.keys[at] = lane.with_right.rank(pairs_) << place_bits | at;
      lane.keys[lane.left] = lane.with_left.rank(pairs_) << place_bits | lane.left;
    }
  }
}

}  // namespace holdfast::token
