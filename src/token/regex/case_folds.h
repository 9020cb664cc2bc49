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
// The texts of several characters, as PCRE2 text, that characters of `set` are folded to; without those whose
// characters it holds each.
std::vector<std::string> long_cases_of(const CodeSet& set);
// And the characters that are folded to the same as one of `set`.
CodeSet with_other_cases(const CodeSet& set);

}  // namespace holdfast::token
