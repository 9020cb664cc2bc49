#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::scan {

// Not legal advice: a licence here is what its family says on a few questions that can be answered by rule.
inline constexpr std::string_view not_legal_advice =
    "This compares licence terms by rule and is not legal advice; a lawyer decides in doubt.";

enum class Commercial : uint8_t { yes, no, conditional };
enum class Derivatives : uint8_t { yes, not_shared };  // not_shared: changes may be made, not handed on.
enum class ShareAlike : uint8_t { none, weak, strong, network };

// The decision vector of one licence (governance.md 2.4).
struct LicenseTerms {
  std::string_view id;  // As a card writes it, lower case.
  std::string_view family;
  Commercial commercial = Commercial::yes;
  Derivatives derivatives = Derivatives::yes;
  ShareAlike share_alike = ShareAlike::none;
  bool attribution = true;
  bool use_restrictions = false;  // A list of forbidden uses, which must be passed on.
  bool research_only = false;
  std::string_view condition;  // On commercial use, naming, users; empty: none.
  std::string_view clause;     // What of its text the vector rests on.
};

std::span<const LicenseTerms> license_table();
// Null for what nobody may judge by rule: unknown, other, missing, a name we do not have. Case does not
// matter; SPDX names ("GPL-3.0-only") find the card's ("gpl-3.0").
const LicenseTerms* find_license(std::string_view id);

// Of SPDX, after WITH: they take conditions away and add none. Case does not matter.
bool is_license_exception(std::string_view id);

enum class Verdict : uint8_t { allowed, conditional, review, refused };
std::string_view verdict_name(Verdict verdict);

struct IntendedUse {
  enum class Purpose : uint8_t { commercial, non_commercial, research } purpose = Purpose::commercial;
  bool shared = false;  // What is made of it is handed to others.
};

// One thing that what we judge is made of. `license`: an SPDX expression of ids, or empty.
struct Component {
  enum class Role : uint8_t { model, base_model, dataset, code } role = Role::model;
  std::string name{};
  std::string license{};
};
std::string_view role_name(Component::Role role);

struct LicenseReason {
  Verdict verdict = Verdict::review;
  std::string component{}, license{};
  std::string rule{};    // "non-commercial", "unknown", "share-alike", "relicensed", …
  std::string reason{};  // For people.
  std::string clause{};  // Text of the licence, may be empty.
};
struct LicenseReport {
  Verdict verdict = Verdict::allowed;
  std::vector<LicenseReason> reasons{};
  std::vector<std::string> duties{};  // What the user must do, each once.
};
// The meet over all components, and between them. Never `allowed` for what is unknown.
LicenseReport judge_licenses(std::span<const Component> components, const IntendedUse& use);

// The ids of an SPDX expression as alternatives of sets that all hold: "A OR (B AND C)" is {{A}, {B, C}}. A
// WITH keeps its exception ("gpl-2.0 with classpath-exception-2.0" counts as its licence). bad_request for
// what is no expression.
Result<std::vector<std::vector<std::string>>> parse_license_expression(std::string_view text);

}  // namespace holdfast::scan
