#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scan/license.h"

namespace holdfast::scan {

// "model mit; base cc-by-nc-4.0; dataset odbl; code apache-2.0": a role and an SPDX expression each, "none"
// where nothing is named.
Result<std::vector<Component>> parse_license_chain(std::string_view text);

// The uses that a case is decided for, in the order of its letters: commercial, non-commercial and research,
// each kept and then shared.
inline constexpr size_t license_uses = 6;
IntendedUse license_use(size_t index);
std::string license_use_name(size_t index);  // "commercial, shared"

// One chain with the verdict that people reached for each use, and why.
struct LicenseCase {
  std::string chain{};
  std::vector<Component> components{};
  std::array<Verdict, license_uses> truth{};
  std::string why{};
};
// Lines of "LETTERS\tCHAIN\tWHY"; letters: A allowed, C conditional, P a person (review), R refused. Lines
// that begin with # and empty ones are passed over; at most 10,000. bad_request names the line.
Result<std::vector<LicenseCase>> parse_license_cases(std::string_view text);

inline constexpr size_t verdict_count = 4;
struct LicenseConfusion {
  std::array<std::array<uint64_t, verdict_count>, verdict_count> said{};  // By truth, then by what was said.
  std::vector<std::string> differences{};                                 // In words, at most 1,000.

  uint64_t all() const;
  uint64_t agreed() const;
  // Said allowed where the truth is anything else.
  uint64_t guessed() const;
};
LicenseConfusion compare_license_cases(const std::vector<LicenseCase>& cases);
// As a table of Markdown, truth by row.
std::string confusion_table(const LicenseConfusion& confusion);

}  // namespace holdfast::scan
