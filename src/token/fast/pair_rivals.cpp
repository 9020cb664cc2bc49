#include "token/fast/pair_rivals.h"

#include <algorithm>
#include <bit>

namespace holdfast::token {
namespace {

constexpr unsigned digits = 3;  // After the first.

// Ranks that begin with the same four digits of two have one code; a higher one that of a higher rank.
uint64_t code_of(uint32_t rank) {
  if (rank < 1U << digits) return rank;
  const auto last = static_cast<unsigned>(std::bit_width(rank)) - 1 - digits;
  return (uint64_t{last} << digits) + (rank >> last);
}

// What a token ends and begins with, part by part.
struct Spines {
  std::vector<uint32_t> merge_of;  // By id: the merge that makes it, and one; 0 of symbols.
  std::span<const Merge> merges;

  template <class Visit>
  void right(uint32_t id, Visit visit) const {
    while (merge_of[id] != 0) visit(id = merges[merge_of[id] - 1].right);
  }
  template <class Visit>
  void left(uint32_t id, Visit visit) const {
    while (merge_of[id] != 0) visit(id = merges[merge_of[id] - 1].left);
  }
};

}  // namespace

PairRivals::PairRivals() {
  ranks_of_codes_.fill(no_rival);
  for (uint32_t rank = no_rank; rank-- > 0;) ranks_of_codes_[code_of(rank)] = rank;
}

uint64_t* PairRivals::slot_of(uint32_t left, uint32_t right) {
  const uint64_t mixed = mix(left, right);
  auto line = static_cast<size_t>(mixed * lines_ >> mixed_bits);
  for (uint64_t away = 0; away < lines_max; ++away) {
    const uint64_t key = key_of(mixed) | away;
    for (uint64_t& slot : std::span(slots_).subspan(line * line_slots, line_slots)) {
      if (slot >> key_shift == key) return &slot;
      if (slot != empty) continue;
      slot = key << key_shift | ((uint64_t{1} << key_shift) - 1);
      return &slot;
    }
    line = line + 1 == lines_ ? 0 : line + 1;
  }
  return nullptr;
}

// False where a pair finds no place.
bool PairRivals::put_all(std::span<const Merge> merges, size_t lines) {
  lines_ = lines;
  slots_.assign(lines * line_slots, empty);
  uint32_t last = 0;
  for (const Merge& merge : merges) last = std::max({last, merge.left, merge.right, merge.result});
  Spines spines{std::vector<uint32_t>(size_t{last} + 1), merges};
  bool good = true;
  size_t steps = merges.size() * 33;  // Three or four a merge, where tokens are words.
  // What is to be put waits for others, so that their reads of memory do so together.
  struct Waiting {
    uint32_t left, right, rank;
    unsigned shift;  // Of a rival's code; 0 for the rank of the merge.
  };
  constexpr size_t together = 64;
  std::array<Waiting, together> waiting;
  size_t count = 0;
  const auto put_waiting = [&] {
    for (size_t i = 0; i < count && good; ++i) {
      const Waiting& one = waiting[i];
      uint64_t* const slot = slot_of(one.left, one.right);
      good = slot != nullptr;
      if (!good) break;
      if (one.shift == 0)
        *slot = (*slot & ~uint64_t{no_rank}) | one.rank;
      else if ((*slot >> one.shift & code_mask) == code_mask)  // The first is the least.
        *slot ^= (code_mask ^ code_of(one.rank)) << one.shift;
    }
    count = 0;
  };
  const auto put = [&](uint32_t left, uint32_t right, uint32_t rank, unsigned shift) {
    if (steps == 0) good = false;
    if (!good) return;
    --steps;
    __builtin_prefetch(line_of(mix(left, right)), 1);
    waiting[count++] = {left, right, rank, shift};
    if (count == together) put_waiting();
  };
  for (uint32_t rank = 0; good && rank < merges.size(); ++rank) {
    const Merge& merge = merges[rank];
    put(merge.left, merge.right, rank, 0);
    spines.merge_of[merge.result] = rank + 1;
    spines.right(merge.left, [&](uint32_t id) { put(id, merge.right, rank, rank_bits); });
    spines.left(merge.right, [&](uint32_t id) { put(merge.left, id, rank, rank_bits + code_bits); });
  }
  put_waiting();
  return good;
}

std::unique_ptr<PairRivals> PairRivals::make(std::span<const Merge> merges) {
  if (merges.size() >= no_rank) return nullptr;
  std::unique_ptr<PairRivals> out(new PairRivals);
  constexpr int tries = 4;
  // A merge has about two pairs, and five of a line's slots are taken.
  size_t lines = std::max(lines_min, merges.size() * 9 / 20);
  for (int i = 0; i < tries; ++i, lines += lines / 2)
    if (out->put_all(merges, lines)) return out;
  return nullptr;
}

}  // namespace holdfast::token
