#include "token/unicode/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "token/unicode/utf8_blocks.h"

namespace holdfast::token {

CodePoint code_point_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

size_t utf8_length(char32_t code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

void append_utf8(std::string& out, char32_t code) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  switch (utf8_length(code)) {
    case 1:
      out += static_cast<char>(code);
      return;
    case 2:
      out += static_cast<char>(0xC0 | code >> 6);
      tail(0);
      return;
    case 3:
      out += static_cast<char>(0xE0 | code >> 12);
      tail(6);
      tail(0);
      return;
    default:
      out += static_cast<char>(0xF0 | code >> 18);
      tail(12);
      tail(6);
      tail(0);
  }
}

bool is_valid_utf8(std::string_view text) {
  return can_validate_by_blocks() ? is_valid_by_blocks(text) : is_valid_plain_utf8(text);
}

bool is_valid_plain_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      uint64_t eight = 0;
      for (; text.size() - at >= sizeof eight; at += sizeof eight) {
        std::memcpy(&eight, text.data() + at, sizeof eight);
        if ((eight & 0x8080808080808080U) != 0) break;
      }
      while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
      continue;
    }
    const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - at < bytes) return false;
    for (size_t i = 1; i < bytes; ++i)
      if (starts_code_point(text[at + i])) return false;
    const char32_t code = code_point_at(text, at).value;
    if (utf8_length(code) != bytes || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return false;
    at += bytes;
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      out += text[at++];
      continue;
    }
    const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    bool whole = lead >= 0xC2 && lead <= 0xF4;
    size_t good = 1;  // Bytes that could be the beginning of a code point.
    for (; whole && good < bytes; ++good) {
      const auto byte = at + good < text.size() ? static_cast<unsigned char>(text[at + good]) : 0U;
      unsigned low = 0x80, high = 0xBF;
      if (good == 1) {
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
      }
      whole = byte >= low && byte <= high;
      if (!whole) break;
    }
    if (whole)
      out.append(text, at, bytes);
    else
      out += "\xEF\xBF\xBD";
    at += whole ? bytes : good;
  }
  return out;
}

size_t count_code_points(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), starts_code_point));
}

}  // namespace holdfast::token
