#include "token/fast/prefix_tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace holdfast::token {
namespace {

// The first bytes as a number that sorts as they do; shorter texts are filled with zeros.
uint64_t head_of(std::string_view text) {
  uint64_t out = 0;
  for (size_t i = 0; i < 8; ++i) out = out << 8U | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0U);
  return out;
}

}  // namespace

// Puts the children of one node after the other, level by level, so that nodes near the root lie together.
class PrefixTree::Builder {
 public:
  Builder(PrefixTree& tree, const std::vector<Entry>& entries) : tree_(tree) {
    sorted_.reserve(entries.size());
    for (const Entry& entry : entries)
      if (!entry.text.empty()) sorted_.push_back({head_of(entry.text), entry});
    sort_by_head();
    // Texts of one head: longer ones, or some with zeros at their end.
    for (auto begin = sorted_.begin(); begin != sorted_.end();) {
      const auto end =
          std::find_if(begin, sorted_.end(), [&](const Sorted& one) { return one.head != begin->head; });
      if (end - begin > 1 && !std::is_sorted(begin, end, by_text)) std::stable_sort(begin, end, by_text);
      begin = end;
    }
  }

  void run() {
    tree_.storage_.reserve(256 + node_count() / 8 * 9);
    tree_.storage_.assign(256, 0);
    std::vector<Range> level, next;
    if (!sorted_.empty()) level.push_back({0, static_cast<uint32_t>(sorted_.size()), root_slot});
    for (uint32_t depth = 0; !level.empty(); ++depth) {
      next.clear();
      for (const Range& range : level) place(range, depth, next);
      level.swap(next);
    }
    tree_.slots_ = tree_.storage_.data();
  }

 private:
  struct Sorted {
    uint64_t head = 0;
    Entry entry;
  };
  struct Range {  // Of sorted texts that have as many bytes in common as the level is deep, below a node.
    uint32_t begin = 0, end = 0, slot = 0;
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

  // Byte by byte from the last, which keeps the order of equal ones.
  void sort_by_head() {
    struct Key {
      uint64_t head;
      uint32_t index;
    };
    std::vector<Key> keys(sorted_.size()), other(sorted_.size());
    std::array<std::array<uint32_t, 256>, 8> counts{};
    for (uint32_t i = 0; i < keys.size(); ++i) {
      keys[i] = {sorted_[i].head, i};
      for (size_t byte = 0; byte < 8; ++byte) ++counts[byte][keys[i].head >> byte * 8 & 255U];
    }
    for (size_t byte = 0; byte < 8; ++byte) {
      uint32_t place = 0;
      for (uint32_t& count : counts[byte]) place += std::exchange(count, place);
      for (const Key& key : keys) other[counts[byte][key.head >> byte * 8 & 255U]++] = key;
      keys.swap(other);
    }
    std::vector<Sorted> out;
    out.reserve(sorted_.size());
    for (const Key& key : keys) out.push_back(sorted_[key.index]);
    sorted_ = std::move(out);
  }

  uint8_t byte_at(uint32_t index, uint32_t depth) const {
    const Sorted& one = sorted_[index];
    return static_cast<uint8_t>(depth < 8 ? one.head >> (56 - depth * 8)
                                          : static_cast<uint8_t>(one.entry.text[depth]));
  }

  // Without the root.
  size_t node_count() const {
    size_t out = 0;
    std::string_view before;
    for (const Sorted& one : sorted_) {
      const std::string_view text = one.entry.text;
      const auto common = std::mismatch(text.begin(), text.end(), before.begin(), before.end()).first;
      out += static_cast<size_t>(text.end() - common);
      before = text;
    }
    return out;
  }

  uint64_t& node(uint32_t slot) { return slot == root_slot ? tree_.root_ : tree_.storage_[slot]; }

  void place(const Range& range, uint32_t depth, std::vector<Range>& next) {
    size_t count = 0;
    for (uint32_t i = range.begin; i < range.end; ++i) {
      const uint8_t byte = byte_at(i, depth);
      if (count == 0 || children_[count - 1].byte != byte) children_[count++] = {byte, i};
    }
    const uint32_t base = find_base(count);
    node(range.slot) |= uint64_t{base} << base_shift;
    for (size_t i = 0; i < count; ++i) {
      uint32_t begin = children_[i].begin;
      const uint32_t end = i + 1 < count ? children_[i + 1].begin : range.end;
      const uint32_t slot = base ^ children_[i].byte;
      uint64_t made = used | children_[i].byte;
      for (; begin < end && sorted_[begin].entry.text.size() == depth + 1; ++begin)  // The last counts.
        made = used | children_[i].byte | (uint64_t{sorted_[begin].entry.value} + 1) << value_shift;
      tree_.storage_[slot] = made;
      if (begin < end) next.push_back({begin, end, slot});
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

PrefixTree::PrefixTree(const std::vector<Entry>& entries) { Builder(*this, entries).run(); }

PrefixTree::Node PrefixTree::walk(std::string_view text) const {
  Node node = start();
  for (const char letter : text) {
    node = step(node, static_cast<uint8_t>(letter));
    if (node.is_none()) break;
  }
  return node;
}

}  // namespace holdfast::token
