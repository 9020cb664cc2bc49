#include "token/fast/bpe_merger.h"

#include <algorithm>
#include <functional>

namespace holdfast::token {

size_t BpeMerger::merge_short(MergeSymbol* symbols, Ranks& ranks, size_t count) const {
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i)
      if (ranks[i] < ranks[best]) best = i;
    if (ranks[best] == PairTable::none) break;
    symbols[best] = {pairs_->result_of(ranks[best]), symbols[best].units + symbols[best + 1].units};
    --count;
    for (size_t i = best + 1; i < count; ++i) symbols[i] = symbols[i + 1];
    for (size_t i = best + 1; i + 1 < count; ++i) ranks[i] = ranks[i + 1];
    if (best + 1 < count) ranks[best] = pairs_->rank_of(symbols[best].id, symbols[best + 1].id);
    if (best > 0) ranks[best - 1] = pairs_->rank_of(symbols[best - 1].id, symbols[best].id);
  }
  return count;
}

size_t BpeMerger::merge_long(MergeSymbol* symbols, size_t count) {
  constexpr uint32_t nowhere = UINT32_MAX;
  links_.resize(count);
  heap_.clear();
  const auto push = [&](uint32_t at, uint32_t next) {
    const uint32_t rank = pairs_->rank_of(symbols[at].id, symbols[next].id);
    if (rank != PairTable::none) heap_.push_back(uint64_t{rank} << 32U | at);
    return rank != PairTable::none;
  };
  for (uint32_t i = 0; i < count; ++i) {
    links_[i] = {i > 0 ? i - 1 : nowhere, i + 1 < count ? i + 1 : nowhere};
    if (i + 1 < count) push(i, i + 1);
  }
  const auto later = std::greater<>{};
  std::make_heap(heap_.begin(), heap_.end(), later);
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const auto at = static_cast<uint32_t>(heap_.back());
    const auto rank = static_cast<uint32_t>(heap_.back() >> 32U);
    heap_.pop_back();
    const uint32_t next = links_[at].next;
    // Stale: the symbol is gone, or another pair stands there now.
    if (symbols[at].units == 0 || next == nowhere ||
        pairs_->rank_of(symbols[at].id, symbols[next].id) != rank)
      continue;
    symbols[at] = {pairs_->result_of(rank), symbols[at].units + symbols[next].units};
    symbols[next].units = 0;
    const uint32_t after = links_[next].next;
    links_[at].next = after;
    if (after != nowhere) {
      links_[after].previous = at;
      if (push(at, after)) std::push_heap(heap_.begin(), heap_.end(), later);
    }
    const uint32_t before = links_[at].previous;
    if (before != nowhere && push(before, at)) std::push_heap(heap_.begin(), heap_.end(), later);
  }
  size_t left = 0;
  for (size_t i = 0; i < count; ++i)
    if (symbols[i].units != 0) symbols[left++] = symbols[i];
  return left;
}

}  // namespace holdfast::token
