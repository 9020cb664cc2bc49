#include "scan/secret_form.h"

#include <fmt/format.h>

#include <charconv>

namespace holdfast::scan {
namespace {

constexpr size_t keyword_letters_min = 3;
constexpr int most = 500;

std::string_view characters_of(char name) {
  switch (name) {
    case 'd':
      return "[0-9]";
    case 'h':
      return "[0-9a-fA-F]";
    case 'a':
      return "[0-9a-zA-Z]";
    case 'u':
      return "[0-9A-Z]";
    case 'w':
      return "[0-9a-zA-Z_-]";
    case 'b':
      return "[0-9a-zA-Z+/]";
    case 'e':
      return "[0-9a-zA-Z_=-]";
    case 't':
      return "[0-9a-zA-Z_=.~-]";
    case 'z':
      return "[a-zA-Z]";
    case 'k':
      return "[A-Z2-7]";
    case 'c':
      return "[0-9a-zA-Z%]";
    case 'p':
      return "[0-9a-zA-Z+/_=-]";
    case 'x':
      return "[0-9a-zA-Z_@/.:-]";
    default:
      return {};
  }
}

// "20", "20-40" or "20-" as PCRE2 counts.
Result<std::string> count_of(std::string_view text) {
  int least = 0, last = 0;
  const char* const end = text.data() + text.size();
  auto read = std::from_chars(text.data(), end, least);
  if (read.ec != std::errc() || least < 1 || least > most)
    return fail(Reason::bad_request, "no count in a form");
  if (read.ptr == end) return fmt::format("{{{}}}", least);
  if (*read.ptr != '-') return fail(Reason::bad_request, "no count in a form");
  if (read.ptr + 1 == end) return fmt::format("{{{},{}}}", least, most);
  read = std::from_chars(read.ptr + 1, end, last);
  if (read.ec != std::errc() || read.ptr != end || last < least || last > most)
    return fail(Reason::bad_request, "no count in a form");
  return fmt::format("{{{},{}}}", least, last);
}

bool is_plain_for_pcre(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
}

}  // namespace

Result<std::string> pattern_of_form(std::string_view form) {
  std::string out;
  for (size_t at = 0; at < form.size(); ++at) {
    if (form[at] != '{') {
      if (!is_plain_for_pcre(form[at])) out += '\\';
      out += form[at];
      continue;
    }
    const size_t close = form.find('}', at);
    if (close == std::string_view::npos) return fail(Reason::bad_request, "a form ends within braces");
    const std::string_view inside = form.substr(at + 1, close - at - 1);
    at = close;
    if (inside == "uuid") {
      out += "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
      continue;
    }
    const std::string_view characters = inside.empty() ? std::string_view() : characters_of(inside[0]);
    if (characters.empty()) return fail(Reason::bad_request, "a form names an unknown class");
    TRY(const std::string count, count_of(inside.substr(1)));
    out += characters;
    out += count;
    if (inside[0] == 'b') out += "={0,3}";
  }
  return out;
}

std::string keyword_of_form(std::string_view form) {
  std::string best, now;
  for (size_t at = 0; at <= form.size(); ++at) {
    if (at < form.size() && form[at] != '{') {
      const char c = form[at];
      now += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      continue;
    }
    if (now.size() > best.size()) best = now;
    now.clear();
    at = std::min(form.find('}', at), form.size());
  }
  return best.size() < keyword_letters_min ? std::string() : best;
}

}  // namespace holdfast::scan
