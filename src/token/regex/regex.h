#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "token/normalized_text.h"

namespace holdfast::token {

// A regular expression as tokenizer files hold them: Oniguruma's syntax and meaning, matched by PCRE2.
// Immutable; safe from any thread.
class Regex {
 public:
  static constexpr size_t pattern_bytes_max = 64 << 10;
  static constexpr uint32_t steps_max = 10'000'000;  // For one match, as in Oniguruma.

  virtual ~Regex() = default;
  // The text cut at its matches, which are the delimiters. Empty matches are parts too.
  // tokenization_failed when a match takes too many steps.
  virtual Result<std::vector<Match>> find(std::string_view text) const = 0;
};

// bad_request for a malformed pattern.
Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern);
std::string escape_regex(std::string_view text);  // A pattern that matches just this text.

// {"String": text} or {"Regex": pattern}.
Result<std::shared_ptr<const Regex>> compile_literal(std::string_view text);

// General categories as PCRE2's own tables have them, one byte a code point: what a class may be built from.
// For the version of Unicode that we have a table of PCRE2 is not asked.
const std::vector<uint8_t>& pcre2_categories();
// The same by asking PCRE2 for each category, which takes several milliseconds.
std::vector<uint8_t> ask_pcre2_categories();

}  // namespace holdfast::token
