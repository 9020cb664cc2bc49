#include "token/regex/case_folds.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <map>

namespace holdfast::token {
namespace {

// Text after full case folding, to the code points that are folded to it: Unicode's CaseFolding.txt, without
// the Turkic ones. A text of one code point is among them.
using Folds = std::map<std::u32string, std::u32string>;

std::u32string fold_of(char32_t code) {
  constexpr size_t fold_max = 8;
  std::array<utf8proc_int32_t, fold_max> fold{};
  int boundary = UTF8PROC_BOUNDCLASS_START;
  const auto length = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), fold.data(), fold_max,
                                              UTF8PROC_CASEFOLD, &boundary);
  if (length < 1 || length > static_cast<utf8proc_ssize_t>(fold_max)) return std::u32string(1, code);
  return {fold.begin(), fold.begin() + length};
}

const Folds& folds() {
  static const Folds known = [] {
    constexpr char32_t cased_end = 0x20000;
    Folds out;
    for (char32_t code = 0; code < cased_end; ++code) {
      const std::u32string text = fold_of(code);
      if (text.size() == 1 && text[0] == code) continue;
      std::u32string& codes = out[text];
      if (codes.empty() && text.size() == 1) codes.push_back(text[0]);
      codes.push_back(code);
    }
    return out;
  }();
  return known;
}

std::string text_of(std::u32string_view codes) {
  std::string out;
  for (const char32_t code : codes) out += fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(code));
  return out;
}

std::string any_of(std::u32string_view codes) { return "[" + text_of(codes) + "]"; }

}  // namespace

// Of neighbours that may together be one character the longest are taken, from the left; other ways to divide
// them are not tried, as in Oniguruma.
std::string caseless_text(std::u32string_view run) {
  constexpr size_t fold_codes_max = 3;
  std::string out;
  for (size_t at = 0; at < run.size(); ++at) {
    std::u32string text = fold_of(run[at]);
    if (text.size() > 1) {
      out += fmt::format("(?:{}|{})", any_of(folds().at(text)), text_of(text));
      continue;
    }
    Folds::const_iterator longest = folds().end();
    for (size_t taken = 1; at + taken < run.size() && taken < fold_codes_max; ++taken) {
      text += fold_of(run[at + taken]);
      if (text.size() != taken + 1) break;
      if (const auto found = folds().find(text); found != folds().end()) longest = found;
    }
    const size_t taken = longest == folds().end() ? 1 : longest->first.size();
    const std::string plain = text_of(run.substr(at, taken));
    out += taken == 1 ? plain : fmt::format("(?:{}|{})", plain, any_of(longest->second));
    at += taken - 1;
  }
  return out;
}

std::vector<std::string> long_cases_of(const CodeSet& set, LongCases wanted) {
  const auto is_in = [&set](char32_t code) { return set[code]; };
  std::vector<std::string> out;
  for (const auto& [text, codes] : folds())
    if (text.size() > 1 && std::any_of(codes.begin(), codes.end(), is_in) &&
        (wanted == LongCases::all || !std::all_of(text.begin(), text.end(), is_in)))
      out.push_back(text_of(text));
  return out;
}

CodeSet with_other_cases(const CodeSet& set) {
  CodeSet out = set;
  for (const auto& [text, codes] : folds())
    if (codes.size() > 1 && std::any_of(codes.begin(), codes.end(), [&](char32_t code) { return set[code]; }))
      for (const char32_t code : codes) out.set(code);
  return out;
}

}  // namespace holdfast::token
