#pragma once

#include <cstddef>
#include <cstdint>

#include "token/fast/instructions.h"

namespace holdfast::token {

// What 64 bytes are, a bit each: the classes that the patterns of byte-level tokenizers know of ASCII.
struct AsciiBlock {
  static constexpr size_t bytes = 64;

  uint64_t letters = 0, upper = 0, digits = 0;
  uint64_t spaces = 0;  // White space, of which are
  uint64_t blanks = 0;  // the one that stands before a word, and
  uint64_t lines = 0;   // the ends of lines.
  uint64_t quotes = 0, slashes = 0;
  uint64_t controls = 0;  // Those that are no white space.
  uint64_t wide = 0;      // Not ASCII.
};

using ReadAsciiBlock = AsciiBlock (*)(const uint8_t* at);  // 64 bytes may be read there.
ReadAsciiBlock ascii_block_reader(Instructions instructions);

}  // namespace holdfast::token
