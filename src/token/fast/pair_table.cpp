#include "token/fast/pair_table.h"

#include <algorithm>
#include <bit>

namespace holdfast::token {

bool PairTable::fits(const std::vector<Merge>& merges) {
  constexpr uint32_t ids = 1U << id_bits;
  // The last pair of ids is kept free: it would look like an empty slot.
  return merges.size() < (1U << rank_bits) - 1 &&
         std::all_of(
             merges.begin(), merges.end(),
             [](const Merge& merge) {
               return merge.left < ids - 1 && merge.right < ids - 1 && merge.result < ids - 1;
             });
}

PairTable::PairTable(const std::vector<Merge>& merges) : results_(merges.size()) {
  const size_t lines = std::bit_ceil(std::max<size_t>(merges.size() * 4 / 3, 64)) / line_slots;
  lines_.assign((lines + 1) * line_slots, empty);
  constexpr size_t filter_min = size_t{1} << 20U, filter_max = size_t{1} << 22U;
  const size_t filter_size = std::clamp(std::bit_ceil(merges.size() * 8), filter_min, filter_max);
  filter_.assign(filter_size / 64, 0);
  filter_shift_ = static_cast<unsigned>(64 - std::countr_zero(filter_size));
  mask_ = lines - 1;
  shift_ = static_cast<unsigned>(64 - std::countr_zero(lines));
  for (uint32_t rank = 0; rank < merges.size(); ++rank) {
    const uint64_t pair = uint64_t{merges[rank].left} << id_bits | merges[rank].right;
    const uint64_t mixed = pair * 0x9E3779B97F4A7C15U;
    filter_[mixed >> filter_shift_ >> 6U] |= uint64_t{1} << (mixed >> filter_shift_ & 63U);
    uint64_t* line = lines_.data() + (mixed >> shift_) * line_slots;
    size_t slot = 0;
    while (line[slot] != empty && line[slot] >> rank_bits != pair)
      if (++slot == line_slots) {
        line = lines_.data() + (next_line(line) - lines_.data());
        slot = 0;
      }
    line[slot] = pair << rank_bits | rank;
    results_[rank] = merges[rank].result;
  }
}

}  // namespace holdfast::token
