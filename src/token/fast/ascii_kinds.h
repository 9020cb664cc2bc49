#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "token/fast/byte_bits.h"
#include "token/fast/code_kinds.h"
#include "token/fast/instructions.h"

namespace holdfast::token {

// Of which kind the bytes of a text are, 64 at a time. Filled once, then constant.
class AsciiKinds {
 public:
  static constexpr size_t block_bytes = 64;

  // A bit a byte; what is neither, or beyond the text, has none.
  struct Block {
    uint64_t words = 0;  // Printable ones of words.
    uint64_t spaces = 0, alone = 0;
  };

  explicit AsciiKinds(const std::array<CodeKind, 0x80>& kinds);

  // And one block more.
  void find(std::span<const uint8_t> text, std::vector<Block>& out,
            Instructions instructions = best_instructions()) const;

  // Of the 64 bytes from `at` on.
  static Block from(const std::vector<Block>& blocks, size_t at) {
    const Block &low = blocks[at / block_bytes], &high = blocks[at / block_bytes + 1];
    const auto shift = static_cast<unsigned>(at % block_bytes);
    const auto join = [&](uint64_t a, uint64_t b) {
      return a >> shift | b << 1U << (block_bytes - 1 - shift);
    };
    return {join(low.words, high.words), join(low.spaces, high.spaces), join(low.alone, high.alone)};
  }

  // The first byte from `at` on that is no printable one of a word, or the end.
  static size_t end_of_words(const std::vector<Block>& blocks, size_t at) {
    while (true) {
      const auto words =
          static_cast<unsigned>(std::countr_one(blocks[at / block_bytes].words >> at % block_bytes));
      if (words + at % block_bytes < block_bytes || at / block_bytes + 1 == blocks.size()) return at + words;
      at += words;
    }
  }

 private:
  enum Bit : uint8_t { word_bit = 1, space_bit = 2, alone_bit = 4 };
  using Ranges = std::vector<byte_bits::InRange>;

  Ranges ranges_of(Bit bit) const;
  void find_by_any(std::span<const uint8_t> text, std::vector<Block>& out) const;
  void find_by_avx2(std::span<const uint8_t> text, std::vector<Block>& out) const;
  void find_by_avx512(std::span<const uint8_t> text, std::vector<Block>& out) const;

  alignas(64) std::array<uint8_t, 0x80> bits_{};
  Ranges words_, spaces_, alone_;
  // By the four lower bits of a byte: for which of its upper ones it is of the kind, a bit each.
  using Nibbles = std::array<uint8_t, 16>;
  alignas(16) Nibbles word_nibbles_{}, space_nibbles_{}, alone_nibbles_{};
};

}  // namespace holdfast::token
