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

// A value that is told only by the words of its maker it is assigned to.
struct AssignedSecretRule {
  std::string_view id;
  std::string_view keywords;
  std::string_view words;  // PCRE2, any case; what every keyword is part of.
  std::string_view value;  // PCRE2, any case. UUID stands for the pattern of one.
  double entropy = 0;
};

std::span<const SecretRule> common_secret_rules();
std::span<const SecretRule> vendor_secret_rules();
std::span<const AssignedSecretRule> assigned_secret_rules();

// All of them, the assigned ones spelled out; lives for ever.
std::span<const SecretRule> secret_rules();
// Rules whose values have no form of their own: an assignment follows the keyword, and what looks like words
// is none.
bool is_by_assignment(const SecretRule& rule);

// The rule of our own tokens and the Hub's.
inline constexpr std::string_view own_token_rule = "huggingface-access-token";
inline constexpr std::string_view generic_prefix = "generic-";

}  // namespace holdfast::scan
