#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace holdfast::token {

// The letters that stand for bytes in byte-level vocabularies (GPT-2, `bytes_to_unicode`): printable Latin-1
// for itself, the rest from U+0100.
constexpr std::array<char32_t, 256> byte_letters = [] {
  std::array<char32_t, 256> out{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    out[byte] = printable ? byte : next++;
  }
  return out;
}();

// The byte a letter stands for; below 0 if none.
constexpr std::array<int16_t, 0x144> letter_bytes = [] {
  std::array<int16_t, 0x144> out{};
  out.fill(-1);
  for (int16_t byte = 0; byte < 256; ++byte) out[byte_letters[static_cast<size_t>(byte)]] = byte;
  return out;
}();

constexpr std::optional<uint8_t> byte_of_letter(char32_t letter) {
  if (letter >= letter_bytes.size() || letter_bytes[letter] < 0) return std::nullopt;
  return static_cast<uint8_t>(letter_bytes[letter]);
}

}  // namespace holdfast::token
