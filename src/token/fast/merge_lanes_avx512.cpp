// As merge_lanes.cpp, by whole lines of the table of pairs.
#include <algorithm>
#include <bit>

#include "token/fast/avx512_pairs.h"
#include "token/fast/merge_lanes.h"

namespace holdfast::token {
namespace {

// A merge that is done save for the keys of what is next to it.
struct WideMerge {
  uint32_t* right = nullptr;  // Keys, and what is put into them beside the rank.
  uint32_t* left = nullptr;
  uint32_t right_place = 0, left_place = 0;
  avx512::Neighbours with_left, with_right;
};

}  // namespace

HOLD_AVX512 void MergeLanes::merge_by_avx512(std::span<Lane> lanes) const {
  constexpr uint32_t no_key = avx512::no_rank << place_bits;  // And what is above.
  std::array<WideMerge, count> merges;
  uint32_t unused = 0;  // The key of what stands before the first.
  std::array<Lane*, count> going;
  size_t left = 0;
  for (Lane& lane : lanes) going[left++] = &lane;
  for (size_t made = 1; made > 0;) {
    made = 0;
    for (size_t i = 0; i < left;) {
      Lane& lane = *going[i];
      const uint32_t* const keys = lane.keys.data();
      const __m512i least =
          _mm512_min_epu32(_mm512_min_epu32(avx512::load_keys(keys), avx512::load_keys(keys + 16)),
                           _mm512_min_epu32(avx512::load_keys(keys + 32), avx512::load_keys(keys + 48)));
      const uint32_t key = avx512::least_of(least);
      if (key >= no_key) {
        going[i] = going[--left];
        continue;
      }
      ++i;
      const uint32_t place = key & (symbols_max - 1), id = pairs_.result_of(key >> place_bits);
      const uint64_t beyond = lane.live & ~((uint64_t{2} << place) - 1);  // Not 0, as the pair has a rank.
      const auto gone = static_cast<size_t>(std::countr_zero(beyond));
      const uint64_t after = beyond & (beyond - 1), before = lane.live & ((uint64_t{1} << place) - 1);
      const auto next = static_cast<size_t>(std::countr_zero(after)) & (symbols_max - 1);
      const auto previous = static_cast<size_t>(63 - std::countl_zero(before)) & (symbols_max - 1);
      lane.live ^= uint64_t{1} << gone;
      lane.keys[gone] = nothing;
      lane.ids[place] = id;
      WideMerge& merge = merges[made++];
      merge.right = &lane.keys[place];
      merge.right_place = place;
      merge.left = before == 0 ? &unused : &lane.keys[previous];
      merge.left_place = static_cast<uint32_t>(previous);
      merge.with_left.meet(pairs_, before == 0 ? PairTable::no_id : lane.ids[previous], id);
      merge.with_right.meet(pairs_, id, after == 0 ? PairTable::no_id : lane.ids[next]);
    }
    for (size_t i = 0; i < made; ++i) {
      const WideMerge& merge = merges[i];
      *merge.right = merge.with_right.rank(pairs_) << place_bits | merge.right_place;
      *merge.left = merge.with_left.rank(pairs_) << place_bits | merge.left_place;
    }
  }
}

}  // namespace holdfast::token
