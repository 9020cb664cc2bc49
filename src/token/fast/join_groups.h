#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::token {

// Which bytes may be joined, by 16 groups of left bytes: those of a group are joined with whatever one of
// them is. So some pairs are taken for joined that are not, never the other way; what is left is found 64
// bytes at a time.
class JoinGroups {
 public:
  using Row = std::array<uint64_t, 4>;  // Of a left byte: a bit for each right one.

  explicit JoinGroups(const std::array<Row, 256>& joined);

  bool has(uint8_t left, uint8_t right) const {
    return ((left_[0][left] & right_[0][right]) | (left_[1][left] & right_[1][right])) != 0;
  }
  // The bytes that are not joined with the one before: a bit each, none of the first byte of the text. Needs
  // Instructions::avx512.
  void find_cuts(std::span<const uint8_t> text, std::vector<uint64_t>& out) const;

 private:
  static constexpr size_t groups_max = 16;
  using Table = std::array<uint8_t, 256>;

  // Eight groups each: the one that a byte is in, and those that join it.
  alignas(64) std::array<Table, 2> left_{}, right_{};
};

}  // namespace holdfast::token
