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

// A secret whose maker gives it a mark of its own.
struct MarkedSecret {
  std::string_view maker;
  std::string_view form;       // secret_form.h
  std::string_view keyword{};  // Empty: the longest plain part of the form.
  std::string_view kind = "token";
};
// Values that are told only by the maker's name they are assigned to.
struct AssignedSecret {
  std::string_view names;  // Lower case, separated by spaces; the first names the rule.
  std::string_view forms;  // Separated by spaces.
  Severity severity = Severity::warning;
};

std::span<const SecretRule> common_secret_rules();
std::span<const MarkedSecret> marked_secrets();
std::span<const AssignedSecret> assigned_secrets();

// All of them, spelled out; lives for ever.
std::span<const SecretRule> secret_rules();
// Rules whose values have no form of their own: an assignment follows the keyword, and what looks like words
// is none.
bool is_by_assignment(const SecretRule& rule);

// The rule of our own tokens and the Hub's.
inline constexpr std::string_view own_token_rule = "huggingface-access-token";
inline constexpr std::string_view generic_prefix = "generic-";

}  // namespace holdfast::scan
