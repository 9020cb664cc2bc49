#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::token {

struct CodePoint {
  char32_t value = 0;
  size_t bytes = 1;
};

// The code point that begins at `at`; the text is valid UTF-8 and at < its size.
CodePoint code_point_at(std::string_view text, size_t at);
void append_utf8(std::string& out, char32_t code);
size_t utf8_length(char32_t code);
bool is_valid_utf8(std::string_view text);        // As in RFC 3629: no surrogates, no overlong forms.
bool is_valid_plain_utf8(std::string_view text);  // The same, code point by code point.
// U+FFFD for each longest broken part, as Rust's from_utf8_lossy has it.
std::string to_valid_utf8(std::string_view text);
size_t count_code_points(std::string_view text);
inline bool starts_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

// Calls visit(code, offset, bytes) for each code point.
template <class Visit>
void for_each_code_point(std::string_view text, Visit visit) {
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    visit(point.value, at, point.bytes);
    at += point.bytes;
  }
}

}  // namespace holdfast::token
