#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "scan/finding.h"

namespace holdfast::scan {

struct SecretRule {
  std::string_view id;
  std::string_view what;      // For people.
  std::string_view keywords;  // Lower case, separated by spaces; one of them is near every match.
  std::string_view pattern;   // PCRE2; the first group is the secret, or all of it without a group.
  double entropy = 0;
  Severity severity = Severity::dangerous;
  uint16_t before = 32, after = 256;  // How far around the keyword the pattern is tried.
};

std::span<const SecretRule> secret_rules();

// The rule of our own tokens and the Hub's.
inline constexpr std::string_view own_token_rule = "huggingface-access-token";

}  // namespace holdfast::scan
