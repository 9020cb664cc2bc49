#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "token/fast/large_pages.h"

namespace holdfast::token {

// A tree over the bytes of texts with a value at the nodes where a text ends, as a double array: a child is
// at its parent's base xor its byte, so a step is one read. Filled once, then constant; safe from any thread.
class PrefixTree {
 public:
  static constexpr uint32_t none = UINT32_MAX, values_max = (1U << 28U) - 2;
  static constexpr uint32_t root = 0;

  struct Entry {
    std::string_view text;
    uint32_t value = 0;  // At most values_max.
  };

  PrefixTree() : PrefixTree(std::vector<Entry>()) {}
  PrefixTree(PrefixTree&&) noexcept = default;
  PrefixTree& operator=(PrefixTree&&) noexcept = default;
  // Empty texts are left out; of equal ones the last counts.
  explicit PrefixTree(const std::vector<Entry>& entries);

  // A node with what is known of it: reading a child gives all of it.
  class Node {
   public:
    Node() : slot_(0) {}  // None.
    bool has_value() const { return slot_ >> value_shift != 0; }
    uint32_t value() const { return static_cast<uint32_t>(slot_ >> value_shift) - 1; }
    bool is_none() const { return slot_ == 0; }

   private:
    friend class PrefixTree;
    explicit Node(uint64_t slot) : slot_(slot) {}
    uint64_t slot_;
  };

  Node start() const { return Node(root_); }
  Node step(Node node, uint8_t byte) const {
    const uint64_t slot = slots_[base_of(node.slot_) ^ byte];
    return Node((slot & label_mask) == (byte | used) ? slot : 0);
  }
  Node walk(std::string_view text) const;  // None where the text leaves the tree.

  // A step in two halves, for steps of several walks in turn: the place that will be read, and the reading.
  uint32_t place_of_step(Node node, uint8_t byte) const {
    const uint32_t place = base_of(node.slot_) ^ byte;
    __builtin_prefetch(slots_ + place);
    return place;
  }
  Node read_step(uint32_t place, uint8_t byte) const {
    const uint64_t slot = slots_[place];
    return Node((slot & label_mask) == (byte | used) ? slot : 0);
  }

 private:
  // A slot: 9 bits of label (the byte, and a bit that says it is used), 27 of the base of its children, 28 of
  // the value and one. Blocks of 256 slots: no two nodes have one base, so a label tells whose child it is.
  // Block 0 stays empty: the base of leaves.
  static constexpr uint64_t used = 0x100, label_mask = 0x1FF, base_bits = 27;
  static constexpr unsigned base_shift = 9, value_shift = 36;
  static constexpr uint32_t base_of(uint64_t slot) {
    return static_cast<uint32_t>(slot >> base_shift) & ((1U << base_bits) - 1);
  }

  class Builder;

  LargeVector<uint64_t> storage_;
  const uint64_t* slots_ = nullptr;  // Of storage_.
  uint64_t root_ = used;
};

}  // namespace holdfast::token
