#include "jinja/string_literal.h"

#include "jinja/characters.h"

namespace holdfast::jinja {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The single characters that stand for another one.
char simple_escape(char c) {
  switch (c) {
    case '\\':
      return '\\';
    case '\'':
      return '\'';
    case '"':
      return '"';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return '\0';
  }
}

// Reads the digits of \xHH, \uHHHH or \UHHHHHHHH after the letter at `at`; moves `at` past them.
Result<char32_t> hex_escape(std::string_view inside, size_t& at) {
  const char letter = inside[at++];
  const size_t wanted = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
  char32_t code = 0;
  for (size_t i = 0; i < wanted; ++i, ++at) {
    const int digit = at < inside.size() ? hex_value(inside[at]) : -1;
    if (digit < 0)
      return fail(Reason::bad_request,
                  std::string("truncated \\") + letter + std::string(wanted, 'X') + " escape");
    code = code * 16 + static_cast<char32_t>(digit);
  }
  if (code > 0x10ffff) return fail(Reason::bad_request, "illegal Unicode character");
  return code;
}

}  // namespace

Result<std::string> unescaped(std::string_view inside) {
  std::string out;
  out.reserve(inside.size());
  for (size_t at = 0; at < inside.size();) {
    if (inside[at] != '\\' || at + 1 == inside.size()) {
      out.push_back(inside[at++]);
      continue;
    }
    const char c = inside[++at];
    if (const char simple = simple_escape(c)) {
      out.push_back(simple);
      ++at;
    } else if (c == '\n') {
      ++at;
    } else if (c >= '0' && c <= '7') {
      char32_t code = 0;
      for (size_t i = 0; i < 3 && at < inside.size() && inside[at] >= '0' && inside[at] <= '7'; ++i)
        code = code * 8 + static_cast<char32_t>(inside[at++] - '0');
      append_utf8(out, code);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      TRY(const char32_t code, hex_escape(inside, at));
      if (code >= 0xd800 && code <= 0xdfff)
        return fail(Reason::bad_request, "a lone surrogate is no character");
      append_utf8(out, code);
    } else if (c == 'N') {
      return fail(Reason::bad_request, "\\N escapes are not supported");
    } else {
      out.push_back('\\');
    }
  }
  return out;
}

}  // namespace holdfast::jinja
