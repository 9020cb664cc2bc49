#include "token/fast/free_merges.h"

namespace holdfast::token {
namespace {

size_t bytes_of_lead(uint8_t lead) { return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

bool has_bit(std::span<const uint16_t> bits, size_t at) { return (bits[at / 16] >> at % 16 & 1U) != 0; }

}  // namespace

FreeMerges::Room::Room() {
  for (Column* const column : {&ranks_, &of_right_, &of_left_})
    std::fill_n(column->places.begin(), block, PairRivals::no_rival);
}

// After the last place that is used.
void FreeMerges::Room::put_nothing(size_t at) {
  ids()[at] = PairTable::no_id;
  for (uint32_t* const column : {ranks(), of_right(), of_left()})
    std::fill_n(column + at, block, PairRivals::no_rival);
}

std::unique_ptr<FreeMerges> FreeMerges::make(const std::array<uint32_t, 256>& symbols,
                                             std::span<const Merge> merges, const PrefixTree& tree) {
  auto pairs = PairRivals::make(merges);
  if (!pairs) return nullptr;
  return std::unique_ptr<FreeMerges>(new FreeMerges(symbols, merges, tree, std::move(pairs)));
}

FreeMerges::FreeMerges(const std::array<uint32_t, 256>& symbols, std::span<const Merge> merges,
                       const PrefixTree& tree, std::unique_ptr<PairRivals> pairs)
    : pairs_(std::move(pairs)), tree_(tree), symbols_(symbols), byte_pairs_(size_t{256} * 256) {
  for (const Merge& merge : merges) results_.push_back(merge.result);
  results_.resize(std::max<size_t>(results_.size(), 1));
  for (size_t left = 0; left < 256; ++left)
    for (size_t right = 0; right < 256 && symbols_[left] != PairTable::none; ++right)
      if (symbols_[right] != PairTable::none)
        byte_pairs_[left << 8U | right] = pairs_->find(symbols_[left], symbols_[right]);
}

size_t FreeMerges::put(std::string_view text, Room& room) const {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  uint32_t *const ids = room.ids(), *const begins = room.begins();
  const size_t first = room.count_;
  size_t used = first, at = 0;
  bool wide = false;
  for (; used + 1 < symbols_max && at < text.size(); ++used) {
    uint32_t id = symbols_[bytes[at]];
    size_t size = 1;
    if (id == PairTable::none) [[unlikely]] {
      size = bytes[at] < 0xC0 ? 1 : bytes_of_lead(bytes[at]);
      const PrefixTree::Node node = tree_.walk(text.substr(at, size));
      if (size == 1 || at + size > text.size() || node.is_none() || !node.has_value()) return 0;
      id = node.value();
      wide = true;
    }
    begins[used] = static_cast<uint32_t>(at);
    ids[used] = id;
    at += size;
  }
  if (used == first) return 0;
  for (size_t i = first; i + 1 < used; ++i) {
    const PairRivals::Found found = wide ? pairs_->find(ids[i], ids[i + 1])
                                         : byte_pairs_[size_t{bytes[i - first]} << 8U | bytes[i - first + 1]];
    room.ranks()[i] = found.rank;
    room.of_right()[i] = found.of_right;
    room.of_left()[i] = found.of_left;
  }
  ids[used] = PairTable::no_id;
  begins[used] = static_cast<uint32_t>(at);
  for (size_t i = used - 1; i <= used; ++i)
    room.ranks()[i] = room.of_right()[i] = room.of_left()[i] = PairRivals::no_rival;
  room.count_ = used + 1;
  return at;
}

bool FreeMerges::put_whole(std::string_view text, Room& room) const {
  const size_t before = room.count_;
  if (!room.has_place_for(text.size()) || put(text, room) != text.size()) {
    room.count_ = before;
    return false;
  }
  return true;
}

// Where no pair is surely free by what is two places around it: from one end to the other, which frees the
// least of all at any rate.
void FreeMerges::select_one_by_one(Room& room) {
  const size_t count = room.count_;
  std::fill_n(room.merged_.begin(), count / 16 + 2, uint16_t{0});
  std::fill_n(room.free_of_right_.begin(), count / 16 + 1, uint16_t{0});
  uint32_t least = PairRivals::no_rival;
  for (size_t i = count; i-- > 0;) {
    if (room.ranks()[i] <= least) room.free_of_right_[i / 16] |= static_cast<uint16_t>(1U << i % 16);
    least = std::min(room.ranks()[i], std::max(room.of_left()[i], least));
  }
  least = PairRivals::no_rival;
  for (size_t i = 0; i < count; ++i) {
    if (room.ranks()[i] < std::min(least, PairRivals::no_rank) && has_bit(room.free_of_right_, i))
      room.merged_[i / 16] |= static_cast<uint16_t>(1U << i % 16);
    least = std::min(room.ranks()[i], std::max(room.of_right()[i], least));
  }
}

// Of one pair again and again, as in `aaaa`, the first is merged, the third, and so on.
void FreeMerges::select_repeated(Room& room) {
  for (size_t i = 2; i < room.count_; ++i) {
    if (room.same_[i / 16] == 0) {
      i |= 15;
      continue;
    }
    if (has_bit(room.same_, i) && has_bit(room.same_, i - 1) && has_bit(room.merged_, i - 2) &&
        has_bit(room.free_of_right_, i))
      room.merged_[i / 16] |= static_cast<uint16_t>(1U << i % 16);
  }
}

}  // namespace holdfast::token
