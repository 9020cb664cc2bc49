#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "token/regex/code_set.h"

namespace holdfast::token {

// What Oniguruma matches without regard to case, where a character may be folded to several.

// PCRE2 text, for within (?i), of what the literal characters `run` match: "ss" also a sharp s, which matches
// "ss".
std::string caseless_text(std::u32string_view run);
// Which texts of several characters are wanted. Where a class is repeated without end, those whose characters
// it holds each are matched as these, and trying both ways would take exponential time.
enum class LongCases : uint8_t { all, not_of_its_own };
// The texts of several characters, as PCRE2 text, that characters of `set` are folded to.
std::vector<std::string> long_cases_of(const CodeSet& set, LongCases wanted);
// And the characters that are folded to the same as one of `set`.
CodeSet with_other_cases(const CodeSet& set);

}  // namespace holdfast::token
