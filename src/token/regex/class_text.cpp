#include "token/regex/class_text.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "token/regex/regex.h"
#include "token/unicode/properties.h"

namespace holdfast::token {
namespace {

constexpr std::string_view category_names[] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd",
                                               "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
                                               "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co"};
constexpr char32_t surrogate_first = 0xD800, surrogate_last = 0xDFFF;

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

// Surrogates are in no text: they are of the range before them where that goes on after them.
Ranges ranges_of(CodeSet set) {
  const bool goes_on = set[surrogate_first - 1] && set[surrogate_last + 1];
  for (char32_t code = surrogate_first; code <= surrogate_last; ++code) set[code] = goes_on;
  const CodeSet others = ~set;  // Both are asked where they go on, which libstdc++ finds a word at a time.
  Ranges out;
  for (size_t first = set._Find_first(); first < set.size();) {
    const size_t end = std::min(others._Find_next(first), set.size());
    out.emplace_back(first, end - 1);
    first = set._Find_next(end - 1);
  }
  return out;
}

// Neighbours of one category, from the first code point to the last.
struct Run {
  char32_t first, last;
  uint8_t category;
};
const std::vector<Run>& category_runs() {
  static const std::vector<Run> runs = [] {
    std::vector<Run> out;
    const std::vector<uint8_t>& category = pcre2_categories();
    for (char32_t first = 0; first < category.size();) {
      char32_t end = first + 1;
      while (end < category.size() && category[end] == category[first]) ++end;
      out.push_back({first, end - 1, category[first]});
      first = end;
    }
    return out;
  }();
  return runs;
}

struct Terms {
  std::string text;
  size_t count = 0;
};

Terms of_ranges(const Ranges& ranges) {
  Terms out;
  for (const auto& [first, last] : ranges) {
    out.text += first == last ? fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(first))
                              : fmt::format("\\x{{{:x}}}-\\x{{{:x}}}", static_cast<uint32_t>(first),
                                            static_cast<uint32_t>(last));
    ++out.count;
  }
  return out;
}

Terms with_categories(const CodeSet& set) {
  Terms out;
  CodeSet others = ~set;
  for (char32_t code = surrogate_first; code <= surrogate_last; ++code) others.reset(code);
  std::array<bool, category_count> whole;
  whole.fill(true);
  for (const Run& run : category_runs())
    if (whole[run.category] && (others[run.first] || others._Find_next(run.first) <= run.last))
      whole[run.category] = false;
  CodeSet rest = set;
  for (const Run& run : category_runs())
    if (whole[run.category])
      for (char32_t code = run.first; code <= run.last; ++code) rest.reset(code);
  for (size_t i = 0; i < category_count; ++i) {
    if (!whole[i]) continue;
    out.text += fmt::format("\\p{{{}}}", category_names[i]);
    ++out.count;
  }
  const Terms more = of_ranges(ranges_of(rest));
  out.text += more.text;
  out.count += more.count;
  return out;
}

// Code points that full case folding makes the same text of, where there are several: Unicode's
// CaseFolding.txt, without the Turkic ones.
const std::vector<std::vector<char32_t>>& codes_by_fold() {
  static const std::vector<std::vector<char32_t>> known = [] {
    constexpr char32_t cased_end = 0x20000;
    constexpr size_t fold_max = 8;
    std::map<std::vector<utf8proc_int32_t>, std::vector<char32_t>> by_fold;
    for (char32_t code = 0; code < cased_end; ++code) {
      std::array<utf8proc_int32_t, fold_max> fold{};
      int boundary = UTF8PROC_BOUNDCLASS_START;
      const auto length = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), fold.data(), fold_max,
                                                  UTF8PROC_CASEFOLD, &boundary);
      if (length < 1 || length > static_cast<utf8proc_ssize_t>(fold_max)) continue;
      const std::vector<utf8proc_int32_t> text(fold.begin(), fold.begin() + length);
      if (length == 1 && static_cast<char32_t>(text[0]) == code) continue;
      std::vector<char32_t>& codes = by_fold[text];
      if (codes.empty() && length == 1) codes.push_back(static_cast<char32_t>(text[0]));
      codes.push_back(code);
    }
    std::vector<std::vector<char32_t>> out;
    for (auto& [text, codes] : by_fold)
      if (codes.size() > 1) out.push_back(std::move(codes));
    return out;
  }();
  return known;
}

}  // namespace

std::string class_text(const CodeSet& set) {
  constexpr size_t few = 8;
  const Ranges plain = ranges_of(set);
  const Terms same = plain.size() <= few ? of_ranges(plain) : with_categories(set);
  if (same.count <= few) return "[" + same.text + "]";
  const Terms other = with_categories(~set);
  return other.count < same.count ? "[^" + other.text + "]" : "[" + same.text + "]";
}

CodeSet with_other_cases(const CodeSet& set) {
  CodeSet out = set;
  for (const std::vector<char32_t>& cases : codes_by_fold())
    if (std::any_of(cases.begin(), cases.end(), [&](char32_t code) { return set[code]; }))
      for (const char32_t code : cases) out.set(code);
  return out;
}

}  // namespace holdfast::token
