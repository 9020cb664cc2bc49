#include "jinja/characters.h"

#include <unicode/uchar.h>
#include <unicode/ustring.h>

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"

namespace holdfast::jinja {
namespace {

bool is_line_break(char32_t code) {
  return (code >= 0x0a && code <= 0x0d) || (code >= 0x1c && code <= 0x1e) || code == 0x85 || code == 0x2028 ||
         code == 0x2029;
}

UChar32 icu(char32_t code) { return static_cast<UChar32>(code); }
bool is_cased(char32_t code) {
  return u_hasBinaryProperty(icu(code), UCHAR_UPPERCASE) != 0 ||
         u_hasBinaryProperty(icu(code), UCHAR_LOWERCASE) != 0 || u_istitle(icu(code)) != 0;
}

using Mapping = int32_t (*)(UChar*, int32_t, const UChar*, int32_t, UErrorCode*);

int32_t map_upper(UChar* out, int32_t room, const UChar* in, int32_t count, UErrorCode* error) {
  return u_strToUpper(out, room, in, count, "", error);
}
int32_t map_lower(UChar* out, int32_t room, const UChar* in, int32_t count, UErrorCode* error) {
  return u_strToLower(out, room, in, count, "", error);
}
int32_t map_folded(UChar* out, int32_t room, const UChar* in, int32_t count, UErrorCode* error) {
  return u_strFoldCase(out, room, in, count, U_FOLD_CASE_DEFAULT, error);
}

std::string mapped(std::string_view text, Mapping mapping) {
  std::vector<UChar> in(text.size() + 1), out(text.size() * 3 + 1);
  int32_t count = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strFromUTF8WithSub(in.data(), static_cast<int32_t>(in.size()), &count, text.data(),
                       static_cast<int32_t>(text.size()), 0xfffd, nullptr, &error);
  const int32_t made = mapping(out.data(), static_cast<int32_t>(out.size()), in.data(), count, &error);
  CHECK(U_SUCCESS(error));  // One UTF-16 unit becomes three at most.
  std::string back(static_cast<size_t>(made) * 3 + 1, '\0');
  int32_t bytes = 0;
  u_strToUTF8WithSub(back.data(), static_cast<int32_t>(back.size()), &bytes, out.data(), made, 0xfffd,
                     nullptr, &error);
  CHECK(U_SUCCESS(error));
  back.resize(static_cast<size_t>(bytes));
  return back;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The title form of one character.
std::string titled(std::string_view character) {
  const char32_t title = static_cast<char32_t>(u_totitle(icu(code_point(character))));
  if (title != code_point(character)) {
    std::string out;
    append_utf8(out, title);
    return out;
  }
  // Characters whose title form is several, such as sharp s: upper, then lower from the second on.
  const std::string upper = to_upper(character);
  const size_t first = upper.empty() ? 0 : character_bytes(upper);
  return is_cased(title) && u_istitle(icu(title)) == 0
             ? upper.substr(0, first) + to_lower(std::string_view(upper).substr(first))
             : std::string(character);
}

template <class Inside>
std::string_view strip_where(std::string_view text, Ends ends, Inside&& inside) {
  if (ends != Ends::right)
    while (!text.empty()) {
      const size_t bytes = character_bytes(text);
      if (!inside(text.substr(0, bytes))) break;
      text.remove_prefix(bytes);
    }
  if (ends != Ends::left)
    while (!text.empty()) {
      size_t start = text.size() - 1;
      while (start > 0 && text.size() - start < 4 && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80)
        --start;
      if (start + character_bytes(text.substr(start)) != text.size()) start = text.size() - 1;
      if (!inside(text.substr(start))) break;
      text.remove_suffix(text.size() - start);
    }
  return text;
}

}  // namespace

size_t character_bytes(std::string_view text) { return std::max<size_t>(1, utf8_length(text)); }

size_t character_count(std::string_view text) {
  if (is_ascii(text)) return text.size();
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += character_bytes(text.substr(at))) ++count;
  return count;
}

size_t character_offset(std::string_view text, size_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += character_bytes(text.substr(at));
  return at;
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = character_bytes(text.substr(at));
    out.push_back(text.substr(at, bytes));
    at += bytes;
  }
  return out;
}

char32_t code_point(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(character[i])); };
  switch (utf8_length(character)) {
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    case 4:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
    default:
      return byte(0) < 0x80 ? byte(0) : 0xfffd;
  }
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

bool is_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20) || code == 0x85 || code == 0xa0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
         code == 0x202f || code == 0x205f || code == 0x3000;
}

bool is_printable(char32_t code) {
  if (code < 0x7f) return code >= 0x20;
  constexpr uint32_t hidden = U_GC_C_MASK | U_GC_Z_MASK;
  return (U_GET_GC_MASK(icu(code)) & hidden) == 0;
}

bool is_alphabetic(char32_t code) { return (U_GET_GC_MASK(icu(code)) & U_GC_L_MASK) != 0; }
bool is_decimal(char32_t code) {
  return u_getIntPropertyValue(icu(code), UCHAR_NUMERIC_TYPE) == U_NT_DECIMAL;
}
bool is_digit(char32_t code) {
  const int type = u_getIntPropertyValue(icu(code), UCHAR_NUMERIC_TYPE);
  return type == U_NT_DECIMAL || type == U_NT_DIGIT;
}
bool is_numeric(char32_t code) { return u_getIntPropertyValue(icu(code), UCHAR_NUMERIC_TYPE) != U_NT_NONE; }
bool is_word(char32_t code) { return code == '_' || is_alphabetic(code) || is_numeric(code); }
bool is_upper(char32_t code) { return u_hasBinaryProperty(icu(code), UCHAR_UPPERCASE) != 0; }
bool is_lower(char32_t code) { return u_hasBinaryProperty(icu(code), UCHAR_LOWERCASE) != 0; }
bool is_identifier_start(char32_t code) {
  return code == '_' || u_hasBinaryProperty(icu(code), UCHAR_XID_START) != 0;
}
bool is_identifier_part(char32_t code) { return u_hasBinaryProperty(icu(code), UCHAR_XID_CONTINUE) != 0; }

std::string to_upper(std::string_view text) {
  if (!is_ascii(text)) return mapped(text, map_upper);
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string to_lower(std::string_view text) {
  if (!is_ascii(text)) return mapped(text, map_lower);
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string case_folded(std::string_view text) {
  return is_ascii(text) ? to_lower(text) : mapped(text, map_folded);
}

std::string to_title(std::string_view text) {
  std::string out;
  bool after_cased = false;
  for (const std::string_view character : characters(text)) {
    out += after_cased ? to_lower(character) : titled(character);
    after_cased = is_cased(code_point(character));
  }
  return out;
}

std::string capitalized(std::string_view text) {
  if (text.empty()) return {};
  const size_t first = character_bytes(text);
  return titled(text.substr(0, first)) + to_lower(text.substr(first));
}

std::string case_swapped(std::string_view text) {
  std::string out;
  for (const std::string_view character : characters(text)) {
    const char32_t code = code_point(character);
    out += is_upper(code)   ? to_lower(character)
           : is_lower(code) ? to_upper(character)
                            : std::string(character);
  }
  return out;
}

bool all_upper(std::string_view text) {
  bool cased = false;
  for (const std::string_view character : characters(text)) {
    const char32_t code = code_point(character);
    if (is_lower(code) || u_istitle(icu(code)) != 0) return false;
    cased |= is_upper(code);
  }
  return cased;
}

bool all_lower(std::string_view text) {
  bool cased = false;
  for (const std::string_view character : characters(text)) {
    const char32_t code = code_point(character);
    if (is_upper(code) || u_istitle(icu(code)) != 0) return false;
    cased |= is_lower(code);
  }
  return cased;
}

bool is_title(std::string_view text) {
  bool cased = false, after_cased = false;
  for (const std::string_view character : characters(text)) {
    const char32_t code = code_point(character);
    const bool starts = is_upper(code) || u_istitle(icu(code)) != 0;
    if (starts ? after_cased : is_lower(code) && !after_cased) return false;
    after_cased = starts || is_lower(code);
    cased |= after_cased;
  }
  return cased;
}

std::string_view stripped(std::string_view text, Ends ends) {
  return strip_where(text, ends, [](std::string_view character) { return is_space(code_point(character)); });
}

std::string_view stripped(std::string_view text, std::string_view set, Ends ends) {
  const std::vector<std::string_view> wanted = characters(set);
  return strip_where(text, ends, [&](std::string_view character) {
    return std::find(wanted.begin(), wanted.end(), character) != wanted.end();
  });
}

std::vector<std::string_view> lines_of(std::string_view text, KeepEnds keep) {
  std::vector<std::string_view> out;
  size_t start = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = character_bytes(text.substr(at));
    if (!is_line_break(code_point(text.substr(at, bytes)))) {
      at += bytes;
      continue;
    }
    const size_t after = at + (text.substr(at).starts_with("\r\n") ? 2 : bytes);
    out.push_back(text.substr(start, (keep == KeepEnds::yes ? after : at) - start));
    start = at = after;
  }
  if (start < text.size()) out.push_back(text.substr(start));
  return out;
}

}  // namespace holdfast::jinja
