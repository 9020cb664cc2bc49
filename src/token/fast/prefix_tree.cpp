#include "token/fast/prefix_tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>

namespace holdfast::token {
namespace {

// The first bytes as a number that sorts as they do; shorter texts are filled with zeros.
uint64_t head_of(std::string_view text) {
  uint64_t out = 0;
  for (size_t i = 0; i < 8; ++i) out = out << 8U | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0U);
  return out;
}

}  // namespace

// Puts the children of one node after the other, breadth first, so that nodes near the root lie together.
class PrefixTree::Builder {
 public:
  Builder(PrefixTree& tree, std::vector<Entry> entries) : tree_(tree) {
    sorted_.reserve(entries.size());
    for (const Entry& entry : entries)
      if (!entry.text.empty()) sorted_.push_back({head_of(entry.text), entry});
    std::stable_sort(sorted_.begin(), sorted_.end(), [](const Sorted& a, const Sorted& b) {
      if (a.head != b.head) return a.head < b.head;
      return (a.entry.text.size() > 8 || b.entry.text.size() > 8) && a.entry.text < b.entry.text;
    });
    // A text of up to 8 bytes with zeros at its end has the head of the one without: rare, sorted again.
    if (!std::is_sorted(sorted_.begin(), sorted_.end(), by_text))
      std::stable_sort(sorted_.begin(), sorted_.end(), by_text);
  }

  void run() {
    tree_.storage_.assign(256, 0);
    std::deque<Range> waiting{{0, static_cast<uint32_t>(sorted_.size()), 0, root_slot}};
    for (; !waiting.empty(); waiting.pop_front()) place(waiting.front(), waiting);
    tree_.storage_.shrink_to_fit();
    tree_.slots_ = tree_.storage_.data();
  }

 private:
  struct Sorted {
    uint64_t head = 0;
    Entry entry;
  };
  struct Range {  // Of sorted texts that have `depth` bytes in common, below the node in `slot`.
    uint32_t begin = 0, end = 0, depth = 0, slot = 0;
  };
  struct Block {
    std::array<uint64_t, 4> taken{}, bases{};
    uint32_t free = 256, failures = 0;
  };
  static constexpr uint32_t root_slot = UINT32_MAX;
  static constexpr size_t open_max = 16;  // Blocks that are tried, each until so many nodes did not fit.
  static constexpr uint32_t failures_max = 24;

  static bool by_text(const Sorted& a, const Sorted& b) { return a.entry.text < b.entry.text; }
  static bool has(const std::array<uint64_t, 4>& bits, uint32_t at) {
    return bits[at >> 6U] >> (at & 63U) & 1U;
  }
  static void set(std::array<uint64_t, 4>& bits, uint32_t at) { bits[at >> 6U] |= uint64_t{1} << (at & 63U); }

  uint64_t& node(uint32_t slot) { return slot == root_slot ? tree_.root_ : tree_.storage_[slot]; }

  void place(Range range, std::deque<Range>& waiting) {
    while (range.begin < range.end && sorted_[range.begin].entry.text.size() == range.depth) {
      uint64_t& slot = node(range.slot);  // The last of equal ones counts.
      slot = (slot & ((uint64_t{1} << value_shift) - 1)) | (uint64_t{sorted_[range.begin].entry.value} + 1)
                                                               << value_shift;
      ++range.begin;
    }
    if (range.begin == range.end) return;
    size_t count = 0;
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const auto byte = static_cast<uint8_t>(sorted_[i].entry.text[range.depth]);
      if (count == 0 || children_[count - 1].byte != byte) children_[count++] = {byte, i};
    }
    const uint32_t base = find_base(count);
    node(range.slot) |= uint64_t{base} << base_shift;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t slot = base ^ children_[i].byte;
      tree_.storage_[slot] = used | children_[i].byte;
      waiting.push_back(
          {children_[i].begin, i + 1 < count ? children_[i + 1].begin : range.end, range.depth + 1, slot});
    }
  }

  uint32_t find_base(size_t count) {
    for (size_t i = open_.size(); i-- > 0;) {
      Block& block = open_[i].block;
      if (block.free < count) continue;
      for (uint32_t word = 0; word < 4; ++word)
        for (uint64_t free = ~block.taken[word]; free != 0; free &= free - 1) {
          const uint32_t first = word * 64 + static_cast<uint32_t>(std::countr_zero(free));
          const uint32_t base = first ^ children_[0].byte;
          if (!has(block.bases, base) && fits(block, base, count)) return take(open_[i], base, count);
        }
      if (++block.failures == failures_max) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (open_.size() == open_max) open_.erase(open_.begin());
    open_.push_back({static_cast<uint32_t>(tree_.storage_.size()), {}});
    tree_.storage_.resize(tree_.storage_.size() + 256);
    return take(open_.back(), 0, count);
  }

  bool fits(const Block& block, uint32_t base, size_t count) const {
    for (size_t i = 1; i < count; ++i)
      if (has(block.taken, base ^ children_[i].byte)) return false;
    return true;
  }

  struct Open {
    uint32_t begin = 0;
    Block block;
  };

  uint32_t take(Open& open, uint32_t base, size_t count) {
    set(open.block.bases, base);
    for (size_t i = 0; i < count; ++i) set(open.block.taken, base ^ children_[i].byte);
    open.block.free -= static_cast<uint32_t>(count);
    return open.begin + base;
  }

  struct Child {
    uint8_t byte = 0;
    uint32_t begin = 0;
  };

  PrefixTree& tree_;
  std::vector<Sorted> sorted_;
  std::array<Child, 256> children_{};
  std::vector<Open> open_;
};

PrefixTree::PrefixTree(std::vector<Entry> entries) { Builder(*this, std::move(entries)).run(); }

PrefixTree::Node PrefixTree::walk(std::string_view text) const {
  Node node = start();
  for (const char letter : text) {
    node = step(node, static_cast<uint8_t>(letter));
    if (node.is_none()) break;
  }
  return node;
}

}  // namespace holdfast::token
