#include "jinja/split.h"

#include <algorithm>

#include "jinja/characters.h"

namespace holdfast::jinja {
namespace {

bool space_at(std::string_view text, size_t at) {
  return is_space(code_point(text.substr(at, character_bytes(text.substr(at)))));
}

}  // namespace

std::vector<std::string_view> split_by(std::string_view text, std::string_view separator, size_t most,
                                       From from) {
  std::vector<std::string_view> out;
  if (from == From::left) {
    size_t start = 0;
    for (size_t at; out.size() < most && (at = text.find(separator, start)) != std::string_view::npos;
         start = at + separator.size())
      out.push_back(text.substr(start, at - start));
    out.push_back(text.substr(start));
    return out;
  }
  size_t end = text.size();
  while (out.size() < most && end >= separator.size()) {
    const size_t at = text.substr(0, end).rfind(separator);
    if (at == std::string_view::npos) break;
    out.push_back(text.substr(at + separator.size(), end - at - separator.size()));
    end = at;
  }
  out.push_back(text.substr(0, end));
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<std::string_view> split_by_space(std::string_view text, size_t most, From from) {
  std::vector<std::string_view> out;
  if (from == From::left) {
    while (!(text = stripped(text, Ends::left)).empty()) {
      if (out.size() == most) {
        out.push_back(text);
        break;
      }
      size_t end = 0;
      while (end < text.size() && !space_at(text, end)) end += character_bytes(text.substr(end));
      out.push_back(text.substr(0, end));
      text.remove_prefix(end);
    }
    return out;
  }
  if (most == SIZE_MAX) return split_by_space(text, most, From::left);
  while (!(text = stripped(text, Ends::right)).empty()) {
    if (out.size() == most) {
      out.push_back(text);
      break;
    }
    size_t start = text.size();
    while (start > 0) {
      size_t before = start - 1;
      while (before > 0 && (static_cast<unsigned char>(text[before]) & 0xc0) == 0x80) --before;
      if (space_at(text, before)) break;
      start = before;
    }
    out.push_back(text.substr(start));
    text = text.substr(0, start);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Result<std::string> replaced(Runtime& runtime, std::string_view text, std::string_view old,
                             std::string_view fresh, Integer most) {
  std::string out;
  TRY_DONE(runtime.budget.made(text.size()));
  const auto more = [&] { return most != 0; };
  const auto put = [&]() -> Status {
    TRY_DONE(runtime.budget.made(fresh.size()));
    out += fresh;
    if (most > 0) --most;
    return Done{};
  };
  if (old.empty()) {
    for (const std::string_view character : characters(text)) {
      if (more()) TRY_DONE(put());
      out += character;
    }
    if (more()) TRY_DONE(put());
    return out;
  }
  size_t start = 0;
  for (size_t at; more() && (at = text.find(old, start)) != std::string_view::npos; start = at + old.size()) {
    out += text.substr(start, at - start);
    TRY_DONE(put());
  }
  out += text.substr(start);
  return out;
}

Result<std::string> justified(Runtime& runtime, std::string_view text, Integer width, std::string_view fill,
                              Justify where) {
  const auto count = static_cast<Integer>(character_count(text));
  const Integer missing = std::max<Integer>(0, width - count);
  TRY_DONE(runtime.budget.made(text.size() + static_cast<size_t>(missing) * fill.size()));
  // Python's center puts the odd space left when the width is odd.
  const Integer left = where == Justify::left    ? 0
                       : where == Justify::right ? missing
                                                 : missing / 2 + (missing & width & 1);
  std::string out;
  for (Integer i = 0; i < left; ++i) out += fill;
  out += text;
  for (Integer i = left; i < missing; ++i) out += fill;
  return out;
}

}  // namespace holdfast::jinja
