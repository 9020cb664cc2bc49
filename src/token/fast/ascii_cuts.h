#pragma once

#include <bit>
#include <cstdint>

#include "token/fast/ascii_block.h"
#include "token/fast/scanners.h"

// Where the pieces of 64 bytes of ASCII begin, all at once by bits, for the patterns of scanners.h: the first
// byte begins one, so nothing before it counts. Bits that depend on what comes after the block, or on what is
// not ASCII, are left out, and so is what is rare: from the last bit that is set the scanner goes on. Bit 0
// is never set. ascii_cuts_test.cpp holds them to the scanners.
namespace holdfast::token {

template <class Scanner>
struct AsciiCuts;

namespace ascii_cuts {

constexpr uint64_t below(unsigned bit) { return (uint64_t{1} << bit) - 1; }  // bit < 64

// The bytes at the begin that are ASCII, save the last of them, on whose successor something may depend.
inline uint64_t sure(uint64_t wide) {
  const auto ascii = static_cast<unsigned>(std::countr_zero(wide));
  return ascii == 0 ? 0 : below(ascii - 1);
}

// Of \p{N}{1,3}.
inline uint64_t begins_of_threes(uint64_t digits) {
  uint64_t begins = digits & ~(digits << 1U), out = begins;
  const uint64_t fourth = digits & digits << 1U & digits << 2U & digits << 3U;
  while ((begins = begins << 3U & fourth) != 0) out |= begins;
  return out;
}

}  // namespace ascii_cuts

template <>
struct AsciiCuts<Gpt2Scanner> {
  static uint64_t of(const AsciiBlock& block, const uint8_t* at) {
    using namespace ascii_cuts;
    const uint64_t letters = block.letters, digits = block.digits, spaces = block.spaces;
    const uint64_t others = ~(letters | digits | spaces);
    const uint64_t last_spaces = spaces & ~(spaces >> 1U);
    const uint64_t runs =
        (letters & ~(letters << 1U)) | (digits & ~(digits << 1U)) | (others & ~(others << 1U));
    uint64_t out = (runs & ~((last_spaces & block.blanks) << 1U)) | (spaces & ~(spaces << 1U)) | last_spaces;
    uint64_t valid = sure(block.wide);
    for (uint64_t quotes = (out | 1U) & block.quotes & valid; quotes != 0; quotes &= quotes - 1) {
      const auto quote = static_cast<unsigned>(std::countr_zero(quotes));
      if (quote > 60 || (valid >> quote >> 3U) == 0) {
        valid &= below(quote) | uint64_t{1} << quote;
        break;
      }
      if (const size_t bytes = contraction<false>(at + quote, at + quote + 4)) {
        out &= ~(uint64_t{2} << quote);
        out |= uint64_t{1} << (quote + bytes);
      }
    }
    return out & valid & ~uint64_t{1};
  }
};

namespace ascii_cuts {

enum class Contractions : uint8_t { none, before, after };  // Pieces of their own, or of the word before.

// What cl100k, o200k and DeepSeek's patterns have in common.
template <int digits_max, Contractions contractions, bool by_case, bool spaces_end_at_digits>
inline uint64_t of_words(const AsciiBlock& block, const uint8_t* at) {
  const uint64_t letters = block.letters, digits = block.digits, spaces = block.spaces, lines = block.lines;
  const uint64_t others = ~(letters | digits | spaces), inner = spaces & ~lines;
  uint64_t valid = sure(block.wide);
  // White space that goes on beyond what is known ends nobody knows how.
  const uint64_t ends = ~spaces & valid;
  const auto space_at_end = static_cast<unsigned>(64 - std::countl_zero(ends));
  if (space_at_end < 63) valid &= below(space_at_end + 1);
  // Of white space after a line end: not where one more line end follows.
  const uint64_t after_line = inner & lines << 1U;
  if (((inner + after_line) & ~inner & lines) != 0)
    valid &= below(static_cast<unsigned>(std::countr_zero(after_line)));
  uint64_t last_spaces = inner & ~(spaces >> 1U);
  if (spaces_end_at_digits) last_spaces &= ~(digits >> 1U);
  const uint64_t others_begin = others & ~(others << 1U) & ~(block.blanks << 1U);
  uint64_t out = others_begin | last_spaces | after_line | (inner & ~(spaces << 1U)) |
                 (lines & ~(spaces << 1U) & ~(others << 1U)) |
                 (letters & ~(letters << 1U) & ~(inner << 1U) & ~(others_begin << 1U));
  out |= digits_max == 1 ? digits : begins_of_threes(digits);
  if (by_case) {
    out |= block.upper & (letters & ~block.upper) << 1U;
    // A slash after the line ends that punctuation takes along is taken along too.
    if (const uint64_t slashes = block.slashes & lines << 1U; slashes != 0)
      valid &= below(static_cast<unsigned>(std::countr_zero(slashes)));
  }
  if (contractions == Contractions::none) return out & valid & ~uint64_t{1};
  uint64_t quotes =
      contractions == Contractions::before ? (others_begin & block.quotes) : (block.quotes & letters << 1U);
  quotes &= valid;
  for (unsigned end_of_last = 0; quotes != 0; quotes &= quotes - 1) {
    const auto quote = static_cast<unsigned>(std::countr_zero(quotes));
    if (quote > 60 || (valid >> quote >> 3U) == 0) {
      valid &= below(quote);
      break;
    }
    if (contractions == Contractions::after && quote == end_of_last) continue;
    if (const size_t bytes = contraction<true>(at + quote, at + quote + 4)) {
      end_of_last = quote + static_cast<unsigned>(bytes);
      const uint64_t inside = below(end_of_last) & ~below(quote);
      out &= contractions == Contractions::after ? ~inside : ~(inside << 1U);
      out |= uint64_t{1} << end_of_last;
    }
  }
  return out & valid & ~uint64_t{1};
}

}  // namespace ascii_cuts

template <int digits_max, uint8_t word_flags>
struct AsciiCuts<Cl100kScanner<digits_max, word_flags>> {
  static uint64_t of(const AsciiBlock& block, const uint8_t* at) {
    return ascii_cuts::of_words<digits_max, ascii_cuts::Contractions::before, false, false>(block, at);
  }
};

template <>
struct AsciiCuts<O200kScanner> {
  static uint64_t of(const AsciiBlock& block, const uint8_t* at) {
    return ascii_cuts::of_words<3, ascii_cuts::Contractions::after, true, false>(block, at);
  }
};

template <>
struct AsciiCuts<DeepSeekScanner> {
  static uint64_t of(AsciiBlock block, const uint8_t* at) {
    block.wide |= block.controls;  // Which are neither words nor punctuation.
    return ascii_cuts::of_words<3, ascii_cuts::Contractions::none, false, true>(block, at);
  }
};

}  // namespace holdfast::token
