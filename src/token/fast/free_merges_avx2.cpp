// As free_merges.cpp, 8 places at a time.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593: its own header warns.
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <bit>

#include "token/fast/free_merges_wide.h"

#define HOLD_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define HOLD_AVX2_INLINE __attribute__((target("avx2,bmi,bmi2,popcnt"), always_inline)) inline

namespace holdfast::token {
namespace {

constexpr size_t half_block = 8;

HOLD_AVX2_INLINE __m256i load_places(const uint32_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
HOLD_AVX2_INLINE void store_places(uint32_t* at, __m256i what) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), what);
}
HOLD_AVX2_INLINE uint32_t bits_of(__m256i mask) {
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(mask)));
}

// Which places a mask of eight keeps, those first.
constexpr auto kept_places = [] {
  std::array<std::array<uint8_t, half_block>, 256> out{};
  for (size_t mask = 0; mask < out.size(); ++mask)
    for (size_t place = 0, used = 0; place < half_block; ++place)
      if ((mask >> place & 1U) != 0) out[mask][used++] = static_cast<uint8_t>(place);
  return out;
}();
HOLD_AVX2_INLINE __m256i kept_of(uint32_t mask) {
  return _mm256_cvtepu8_epi32(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kept_places.data()[mask].data())));
}

struct Half {
  uint32_t there = 0, free_of_right = 0, merged = 0, same = 0;
};

// All are below 2^31, so that signed comparisons are right.
HOLD_AVX2_INLINE Half select_half(const uint32_t* ranks, const uint32_t* of_right, const uint32_t* of_left) {
  const __m256i rank = load_places(ranks), before = load_places(ranks - 1), after = load_places(ranks + 1);
  const __m256i left = _mm256_min_epu32(
      before, _mm256_max_epu32(load_places(of_right - 1),
                               _mm256_min_epu32(load_places(ranks - 2), load_places(of_right - 2))));
  const __m256i right = _mm256_min_epu32(
      after, _mm256_max_epu32(load_places(of_left + 1),
                              _mm256_min_epu32(load_places(ranks + 2), load_places(of_left + 2))));
  const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32(PairRivals::no_rank), rank);
  const __m256i free_of_right = _mm256_andnot_si256(_mm256_cmpgt_epi32(rank, right), there);
  const __m256i merged = _mm256_and_si256(free_of_right, _mm256_cmpgt_epi32(left, rank));
  const __m256i same = _mm256_and_si256(there, _mm256_cmpeq_epi32(rank, before));
  return {bits_of(there), bits_of(free_of_right), bits_of(merged), bits_of(same)};
}

}  // namespace

HOLD_AVX2 FreeMerges::Selected FreeMerges::Avx2::select(Room& room) {
  const size_t blocks = (room.count_ + Room::block - 1) / Room::block;
  uint32_t any = 0, rest = 0, repeated = 0;
  for (size_t i = 0; i < blocks; ++i) {
    const size_t at = i * Room::block, then = at + half_block;
    const Half first = select_half(room.ranks() + at, room.of_right() + at, room.of_left() + at);
    const Half second = select_half(room.ranks() + then, room.of_right() + then, room.of_left() + then);
    const uint32_t merged = first.merged | second.merged << half_block;
    const uint32_t same = first.same | second.same << half_block;
    room.merged_[i] = static_cast<uint16_t>(merged);
    room.free_of_right_[i] = static_cast<uint16_t>(first.free_of_right | second.free_of_right << half_block);
    room.same_[i] = static_cast<uint16_t>(same);
    any |= merged;
    rest |= first.there | second.there;
    repeated |= same;
  }
  room.merged_[blocks] = 0;
  return {any != 0, rest != 0, repeated != 0};
}

HOLD_AVX2 size_t FreeMerges::Avx2::join(const FreeMerges& merges, Room& room) {
  uint32_t *const ids = room.ids(), *const begins = room.begins(), *const ranks = room.ranks(),
                  *const of_right = room.of_right(), *const of_left = room.of_left();
  const __m256i steps = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
  const __m256i lanes = _mm256_set_epi32(128, 64, 32, 16, 8, 4, 2, 1);
  const auto* const results = reinterpret_cast<const int*>(merges.results_.data());
  const size_t count = room.count_;
  size_t out = 0, stale_count = 0;
  uint32_t carried = 0;  // The pair before these is merged.
  for (size_t at = 0; at < count; at += half_block) {
    const size_t block = at / Room::block;
    const uint32_t bits =
        (room.merged_[block] | uint32_t{room.merged_[block + 1]} << 16U) >> at % Room::block;
    const uint32_t merged = bits & 0xFFU;
    const uint32_t there = 0xFFU >> (half_block - std::min(half_block, count - at));
    const uint32_t kept = ~(merged << 1U | carried) & there;
    const uint32_t stale = (bits | bits >> 1U) & 0xFFU;
    carried = merged >> 7U;
    const auto mask_of = [&](uint32_t some) __attribute__((target("avx2,bmi,bmi2,popcnt"), always_inline)) {
      return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(some)), lanes), lanes);
    };
    const __m256i order = kept_of(kept);
    const __m256i rank = load_places(ranks + at);
    const __m256i id =
        _mm256_mask_i32gather_epi32(load_places(ids + at), results, rank, mask_of(merged), sizeof(uint32_t));
    const __m256i begin = load_places(begins + at), right = load_places(of_right + at),
                  left = load_places(of_left + at);
    store_places(ids + out, _mm256_permutevar8x32_epi32(id, order));
    store_places(begins + out, _mm256_permutevar8x32_epi32(begin, order));
    store_places(ranks + out, _mm256_permutevar8x32_epi32(rank, order));
    store_places(of_right + out, _mm256_permutevar8x32_epi32(right, order));
    store_places(of_left + out, _mm256_permutevar8x32_epi32(left, order));
    const auto used = static_cast<uint32_t>(std::popcount(kept));
    const uint32_t closed_up =
        bits_of(_mm256_permutevar8x32_epi32(mask_of(stale), order)) & ((1U << used) - 1);
    const __m256i places = _mm256_add_epi32(steps, _mm256_set1_epi32(static_cast<int>(out)));
    store_places(room.stale_.data() + stale_count, _mm256_permutevar8x32_epi32(places, kept_of(closed_up)));
    out += used;
    stale_count += static_cast<size_t>(std::popcount(closed_up));
  }
  room.count_ = out;
  room.put_nothing(out);
  return stale_count;
}

HOLD_AVX2 void FreeMerges::Avx2::look(const FreeMerges& merges, Room& room, size_t stale) {
  constexpr size_t together = 32;  // Reads of memory that wait together.
  static constexpr uint64_t nothing = PairRivals::empty;
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
      const __m256i key = _mm256_set1_epi64x(static_cast<int64_t>(keys[i]));
      const auto same_in =
          [&](const uint64_t* slots) __attribute__((target("avx2,bmi,bmi2,popcnt"), always_inline)) {
            const __m256i four = _mm256_load_si256(reinterpret_cast<const __m256i*>(slots));
            const __m256i same = _mm256_cmpeq_epi64(_mm256_srli_epi64(four, PairRivals::key_shift), key);
            return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(same)));
          };
      const uint32_t same = same_in(lines[i]) | same_in(lines[i] + 4) << 4U;
      const uint64_t* const at = same == 0 ? &nothing : lines[i] + std::countr_zero(same);
      uint64_t slot = *at;
      if (same == 0 && lines[i][PairRivals::line_slots - 1] != PairRivals::empty) [[unlikely]]
        slot = pairs.find_from(lines[i], keys[i]);
      room.ranks()[place] = PairRivals::rank_of(slot);
      room.of_right()[place] = pairs.of_right(slot);
      room.of_left()[place] = pairs.of_left(slot);
    }
  }
}

}  // namespace holdfast::token
