#include "token/regex/class_text.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
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

// What of the ranges is in no category that is there as a whole. Run by run, as a million code points take
// milliseconds.
Ranges outside_of(const Ranges& ranges, const std::array<bool, category_count>& whole) {
  Ranges out;
  const auto add = [&](char32_t first, char32_t last) {
    if (first > last) return;
    const char32_t next = out.empty() ? 0 : out.back().second + 1;
    if (next != 0 && (next == first || (next == surrogate_first && first == surrogate_last + 1)))
      out.back().second = last;
    else
      out.emplace_back(first, last);
  };
  auto run = category_runs().begin();
  for (const auto& [first, last] : ranges) {
    while (run->last < first) ++run;
    for (auto at = run; at != category_runs().end() && at->first <= last; ++at)
      if (!whole[at->category]) {
        const char32_t from = std::max(first, at->first), to = std::min(last, at->last);
        add(from, std::min(to, char32_t{surrogate_first - 1}));
        add(std::max(from, char32_t{surrogate_last + 1}), to);
      }
  }
  return out;
}

Terms with_categories(const CodeSet& set) {
  Terms out;
  CodeSet others = ~set;
  for (char32_t code = surrogate_first; code <= surrogate_last; ++code) others.reset(code);
  std::array<bool, category_count> whole;
  whole.fill(true);
  size_t next = others._Find_first();  // At or after the run, so that no gap is crossed twice.
  for (const Run& run : category_runs()) {
    if (next < run.first) next = others[run.first] ? run.first : others._Find_next(run.first);
    if (next <= run.last) whole[run.category] = false;
  }
  const Ranges rest = outside_of(ranges_of(set), whole);
  for (size_t i = 0; i < category_count; ++i) {
    if (!whole[i]) continue;
    out.text += fmt::format("\\p{{{}}}", category_names[i]);
    ++out.count;
  }
  const Terms more = of_ranges(rest);
  out.text += more.text;
  out.count += more.count;
  return out;
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

}  // namespace holdfast::token
