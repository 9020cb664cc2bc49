#include "scan/pickle_values.h"

#include <cstddef>

namespace holdfast::scan {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The number of `count` hexadecimal digits at `at`.
std::optional<uint32_t> hex_number(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) return {};
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return {};
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return value;
}

void append_utf8(std::string& out, uint32_t point) {
  const auto byte = [&](uint32_t value) { out.push_back(static_cast<char>(value)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xc0 | point >> 6);
    byte(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    byte(0xe0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3f));
    byte(0x80 | (point & 0x3f));
  } else {
    byte(0xf0 | (point >> 18 & 7));
    byte(0x80 | (point >> 12 & 0x3f));
    byte(0x80 | (point >> 6 & 0x3f));
    byte(0x80 | (point & 0x3f));
  }
}

constexpr std::string_view simple_from = "\\'\"abfnrtv";
constexpr std::string_view simple_to = "\\'\"\a\b\f\n\r\t\v";

}  // namespace

std::optional<std::string> unquote_repr(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  if (line.size() < 2 || (line[0] != '\'' && line[0] != '"') || line.back() != line[0]) return {};
  line = line.substr(1, line.size() - 2);
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      out.push_back(line[i]);
      continue;
    }
    if (++i == line.size()) return {};
    const char kind = line[i];
    if (const size_t at = simple_from.find(kind); at != std::string_view::npos) {
      out.push_back(simple_to[at]);
    } else if (kind == 'x') {
      const auto value = hex_number(line, i + 1, 2);
      if (!value) return {};
      out.push_back(static_cast<char>(*value));
      i += 2;
    } else if (kind >= '0' && kind <= '7') {
      unsigned value = 0;
      size_t digits = 0;
      while (digits < 3 && i + digits < line.size() && line[i + digits] >= '0' && line[i + digits] <= '7')
        value = value * 8 + static_cast<unsigned>(line[i + digits++] - '0');
      out.push_back(static_cast<char>(value));
      i += digits - 1;
    } else {
      out.push_back('\\');
      out.push_back(kind);
    }
  }
  return out;
}

std::string undo_raw_unicode(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'u' || line[i + 1] == 'U')) {
      const size_t digits = line[i + 1] == 'u' ? 4 : 8;
      if (const auto point = hex_number(line, i + 2, digits); point && *point <= 0x10ffff) {
        append_utf8(out, *point);
        i += 1 + digits;
        continue;
      }
    }
    append_utf8(out, static_cast<unsigned char>(line[i]));  // The rest is Latin-1.
  }
  return out;
}

}  // namespace holdfast::scan
