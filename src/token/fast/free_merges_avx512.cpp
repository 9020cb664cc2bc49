// As free_merges.cpp, 16 places at a time.
#include <bit>

#include "token/fast/avx512_pairs.h"
#include "token/fast/free_merges_wide.h"

namespace holdfast::token {
namespace {

HOLD_AVX512_INLINE __m512i load_places(const uint32_t* at) { return _mm512_loadu_si512(at); }
HOLD_AVX512_INLINE void store_places(uint32_t* at, __m512i what) { _mm512_storeu_si512(at, what); }

}  // namespace

// Pairs that nothing can come before.
HOLD_AVX512 FreeMerges::Selected FreeMerges::Avx512::select(Room& room) {
  const uint32_t *const ranks = room.ranks(), *const of_right = room.of_right(),
                        *const of_left = room.of_left();
  const __m512i no_rank = _mm512_set1_epi32(PairRivals::no_rank);
  const size_t blocks = (room.count_ + Room::block - 1) / Room::block;
  uint32_t any = 0, rest = 0, repeated = 0;
  for (size_t i = 0; i < blocks; ++i) {
    const size_t at = i * Room::block;
    const __m512i rank = load_places(ranks + at), before = load_places(ranks + at - 1),
                  after = load_places(ranks + at + 1);
    const __m512i left = _mm512_min_epu32(
        before,
        _mm512_max_epu32(load_places(of_right + at - 1),
                         _mm512_min_epu32(load_places(ranks + at - 2), load_places(of_right + at - 2))));
    const __m512i right = _mm512_min_epu32(
        after,
        _mm512_max_epu32(load_places(of_left + at + 1),
                         _mm512_min_epu32(load_places(ranks + at + 2), load_places(of_left + at + 2))));
    const __mmask16 there = _mm512_cmplt_epu32_mask(rank, no_rank);
    const __mmask16 free_of_right = _mm512_mask_cmple_epu32_mask(there, rank, right);
    const __mmask16 merged = _mm512_mask_cmplt_epu32_mask(free_of_right, rank, left);
    const __mmask16 same = _mm512_mask_cmpeq_epu32_mask(there, rank, before);
    room.merged_[i] = merged;
    room.free_of_right_[i] = free_of_right;
    room.same_[i] = same;
    any |= merged;
    rest |= there;
    repeated |= same;
  }
  room.merged_[blocks] = 0;
  return {any != 0, rest != 0, repeated != 0};
}

// Puts the results in the places of the pairs and closes up; returns how many pairs are stale.
HOLD_AVX512 size_t FreeMerges::Avx512::join(const FreeMerges& merges, Room& room) {
  uint32_t *const ids = room.ids(), *const begins = room.begins(), *const ranks = room.ranks(),
                  *const of_right = room.of_right(), *const of_left = room.of_left();
  const __m512i steps = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const size_t count = room.count_, blocks = (count + Room::block - 1) / Room::block;
  size_t out = 0, stale_count = 0;
  uint32_t carried = 0;  // The pair before the block is merged.
  for (size_t i = 0; i < blocks; ++i) {
    const size_t at = i * Room::block;
    const uint32_t merged = room.merged_[i], next = room.merged_[i + 1];
    const uint32_t there = 0xFFFFU >> (Room::block - std::min(Room::block, count - at));
    const uint32_t kept = ~(merged << 1U | carried) & there;
    const uint32_t stale = _pext_u32(merged | (merged | next << 16U) >> 1U, kept);
    carried = merged >> 15U;
    const __m512i rank = load_places(ranks + at);
    const __m512i id = _mm512_mask_i32gather_epi32(load_places(ids + at), static_cast<__mmask16>(merged),
                                                   rank, merges.results_.data(), sizeof(uint32_t));
    const __m512i begin = load_places(begins + at), right = load_places(of_right + at),
                  left = load_places(of_left + at);
    const auto kept_mask = static_cast<__mmask16>(kept);
    store_places(ids + out, _mm512_maskz_compress_epi32(kept_mask, id));
    store_places(begins + out, _mm512_maskz_compress_epi32(kept_mask, begin));
    store_places(ranks + out, _mm512_maskz_compress_epi32(kept_mask, rank));
    store_places(of_right + out, _mm512_maskz_compress_epi32(kept_mask, right));
    store_places(of_left + out, _mm512_maskz_compress_epi32(kept_mask, left));
    const __m512i places = _mm512_add_epi32(steps, _mm512_set1_epi32(static_cast<int>(out)));
    store_places(room.stale_.data() + stale_count,
                 _mm512_maskz_compress_epi32(static_cast<__mmask16>(stale), places));
    out += static_cast<size_t>(std::popcount(kept));
    stale_count += static_cast<size_t>(std::popcount(stale & 0xFFFFU));
  }
  room.count_ = out;
  room.put_nothing(out);
  return stale_count;
}

// What is known of the pairs that are stale.
HOLD_AVX512 void FreeMerges::Avx512::look(const FreeMerges& merges, Room& room, size_t stale) {
  constexpr size_t together = 32;  // Reads of memory that wait together.
  const uint64_t* lines[together];
  uint64_t keys[together];
  const uint32_t* const ids = room.ids();
  const PairRivals& pairs = *merges.pairs_;
  for (size_t from = 0; from < stale; from += together) {
    const size_t some = std::min(together, stale - from);
    for (size_t i = 0; i < some; ++i) {
      const size_t place = room.stale_[from + i];
      const uint64_t mixed = PairRivals::mix(ids[place], ids[place + 1]);
      lines[i] = pairs.line_of(mixed);
      keys[i] = PairRivals::key_of(mixed);
      __builtin_prefetch(lines[i]);
    }
    for (size_t i = 0; i < some; ++i) {
      const size_t place = room.stale_[from + i];
      const __m512i all = _mm512_load_si512(lines[i]);
      const __mmask8 same = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(all, PairRivals::key_shift),
                                                    _mm512_set1_epi64(static_cast<int64_t>(keys[i])));
      const __m512i found = _mm512_mask_compress_epi64(_mm512_set1_epi64(-1), same, all);
      auto slot = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(found)));
      if (same == 0 && lines[i][PairRivals::line_slots - 1] != PairRivals::empty) [[unlikely]]
        slot = pairs.find_from(lines[i], keys[i]);
      room.ranks()[place] = PairRivals::rank_of(slot);
      room.of_right()[place] = pairs.of_right(slot);
      room.of_left()[place] = pairs.of_left(slot);
    }
  }
}

}  // namespace holdfast::token
