#pragma once

#include <cstdint>

namespace holdfast::token {

// What the hand-written scanners need to know of a code point, in one byte.
enum CodeFlag : uint8_t {
  flag_letter = 1,   // L
  flag_mark = 2,     // M
  flag_number = 4,   // N
  flag_space = 8,    // White_Space
  flag_upper = 16,   // Lu, Lt
  flag_lower = 32,   // Ll
  flag_symbol = 64,  // P, S
  flag_line = 128,   // \r, \n
};

const uint8_t* code_flags();  // 0x110000 of them; built on first use, then constant.

struct Decoded {
  uint32_t code;
  uint32_t bytes;
};

// Of valid UTF-8 that begins with a byte above 0x7F.
inline Decoded decode_wide(const uint8_t* at) {
  const uint32_t lead = at[0];
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (at[1] & 0x3FU), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU), 3};
  return {(lead & 0x07) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 | (at[3] & 0x3FU), 4};
}

inline Decoded decode(const uint8_t* at) {
  if (*at < 0x80) return {*at, 1};
  return decode_wide(at);
}

}  // namespace holdfast::token
