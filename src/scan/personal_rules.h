#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast::scan {

// Checks what a pattern matched: a checksum, or parts that cannot be.
enum class Checked : unsigned char { valid, unknown, invalid };

struct PersonalRule {
  std::string_view kind;
  double score;
  std::string_view pattern;  // PCRE2; the first group, or all of it.
  std::string_view context;  // Lower case words, separated by spaces; a word that begins with one counts.
  Checked (*check)(std::string_view match) = nullptr;
};

std::span<const PersonalRule> personal_rules();

}  // namespace holdfast::scan
