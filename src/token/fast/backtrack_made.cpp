// The merges of BacktrackBpe that are ever done, for FreeMerges.
#include <algorithm>

#include "token/fast/backtrack_bpe.h"
#include "token/fast/free_merges.h"

namespace holdfast::token {

void BacktrackBpe::put_symbols(uint32_t id, std::vector<uint32_t>& out) const {
  const Part part = parts_[id];
  if (part.time() == 0) {
    out.push_back(id);
    return;
  }
  put_symbols(part.left(), out);
  put_symbols(part.right(), out);
}

// A merge that is not the one by which its token is made: whether its two tokens never stand next to each
// other when it is its turn.
bool BacktrackBpe::is_never_done(const Merge& merge, uint32_t rank, size_t& budget) const {
  // A part that is not made by itself is never there; a pair that is listed again has its later rank.
  if (!has(merge.left) || !has(merge.right) || pairs_.rank_of(merge.left, merge.right) != rank) return true;
  const std::string_view left = bytes_of(merge.left), right = bytes_of(merge.right);
  // A token that is made another way by itself is made so in every text.
  if (has(merge.result)) {
    const std::string_view made = bytes_of(merge.result);
    return made.size() == left.size() + right.size() && made.starts_with(left) && made.ends_with(right);
  }
  constexpr size_t bytes_max = 1024;
  if (left.size() + right.size() > bytes_max) return false;
  std::vector<uint32_t> ids;
  put_symbols(merge.left, ids);
  put_symbols(merge.right, ids);
  while (ids.size() > 1) {
    if (budget < ids.size()) return false;
    budget -= ids.size();
    uint32_t least = PairTable::none;
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i)
      if (const uint32_t found = pairs_.rank_of(ids[i], ids[i + 1]); found < least) {
        least = found;
        place = i;
      }
    if (least == PairTable::none) return true;
    ids[place] = pairs_.result_of(least);
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
  return false;
}

std::unique_ptr<FreeMerges> BacktrackBpe::make_free_merges() const {
  std::vector<Merge> made;
  size_t budget = size_t{1} << 22U;  // Symbols looked at, of tokens that are never made.
  for (uint32_t rank = 0; rank < merges_.size(); ++rank) {
    const Merge& merge = merges_[rank];
    if (has(merge.result) && parts_[merge.result].time() == rank + 1)
      made.push_back(merge);
    else if (!is_never_done(merge, rank, budget))
      return nullptr;
  }
  return FreeMerges::make(symbols_, made);
}

const FreeMerges* BacktrackBpe::free_merges(size_t bytes) const {
  if (asked_bytes_.load(std::memory_order_relaxed) < free_merges_from &&
      asked_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes < free_merges_from)
    return nullptr;
  std::call_once(free_once_, [this] { free_ = make_free_merges(); });
  return free_.get();
}

}  // namespace holdfast::token
