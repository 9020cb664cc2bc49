#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "token/fast/instructions.h"
#include "token/fast/join_groups.h"

namespace holdfast::token {

// Which neighbouring characters some token may hold together. Where two are not in it, a text may be cut
// between them, and what comes of the parts is what comes of the whole. Filled once, then constant.
class Joins {
 public:
  // The last byte of a character and the first of the next one.
  void put(uint8_t left, uint8_t right) { bits_[left << 2U | right >> 6U] |= uint64_t{1} << (right & 63U); }
  bool has(uint8_t left, uint8_t right) const {
    return (bits_[left << 2U | right >> 6U] >> (right & 63U) & 1U) != 0;
  }

  // Of two characters of two bytes each, or of three each, more is known than that their bytes may be joined:
  // the pairs that are, and now and then others that are taken for them.
  void know_wide(size_t pairs_expected);
  bool knows_wide() const { return !wide_.empty(); }
  // The left one is at `left`, the right one follows; both are of `bytes`, 2 or 3.
  void put_wide(const uint8_t* left, unsigned bytes) {
    const size_t place = wide_place(left, bytes);
    wide_[place >> 6U] |= uint64_t{1} << (place & 63U);
  }
  bool has_wide(const uint8_t* left, unsigned bytes) const {
    const size_t place = wide_place(left, bytes);
    return (wide_[place >> 6U] >> (place & 63U) & 1U) != 0;
  }

  // Once all is put: find_cuts() may go by groups of bytes.
  void group();

  // The bytes before which a text may be cut, a bit each, the lowest bit of the first number for the first
  // byte. The text is valid UTF-8 and begins with a character. By groups of bytes some are left out.
  void find_cuts(std::span<const uint8_t> text, std::vector<uint64_t>& out,
                 Instructions instructions = best_instructions()) const;

 private:
  uint64_t cuts_of_block(const uint8_t* at, size_t bytes) const;
  uint64_t wide_cuts_of_block(const uint8_t* begin, const uint8_t* at, size_t bytes) const;
  size_t wide_place(const uint8_t* left, unsigned bytes) const {
    uint64_t both = 0;
    std::memcpy(&both, left, size_t{2} * bytes);
    return static_cast<size_t>(both * 0x9E3779B97F4A7C15U >> wide_shift_);
  }

  std::array<uint64_t, 1024> bits_{};
  std::unique_ptr<JoinGroups> groups_;
  std::vector<uint64_t> wide_;
  unsigned wide_shift_ = 0;
};

}  // namespace holdfast::token
