#include "scan/license_answers.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::scan {
namespace {

using Role = Component::Role;

// A component without a licence, or with one that cannot be read, may ask for credit.
bool may_ask_for_credit(const Component& component) {
  const auto sets = parse_license_expression(component.license);
  if (component.license.empty() || !sets.ok()) return true;
  return std::ranges::any_of(sets.value(), [](const auto& set) {
    return std::ranges::any_of(set, [](const std::string& id) {
      const LicenseTerms* terms = find_license(id);
      return terms == nullptr || terms->attribution;
    });
  });
}

}  // namespace

LicenseAnswers answer_questions(std::span<const Component> components, const IntendedUse& use) {
  LicenseAnswers out;
  out.commercial = judge_licenses(components, {.purpose = IntendedUse::Purpose::commercial}).verdict;
  out.distribution = judge_licenses(components, {.purpose = use.purpose, .shared = true}).verdict;
  out.attribution = std::ranges::any_of(components, may_ask_for_credit);
  std::vector<Component> data;
  for (const Component& each : components)
    if (each.role == Role::dataset) data.push_back(each);
  if (data.empty()) {
    out.datasets = Verdict::allowed;
    return out;
  }
  // With the model, since what its own licence says decides whether theirs are kept.
  for (const Component& each : components)
    if (each.role == Role::model) data.push_back(each);
  const LicenseReport report = judge_licenses(data, use);
  out.datasets = Verdict::allowed;
  for (const LicenseReason& reason : report.reasons)
    if (reason.component.starts_with("dataset ") || reason.rule == "data-terms")
      out.datasets = std::max(out.datasets, reason.verdict);
  return out;
}

std::string notice_text(std::span<const Component> components) {
  std::string out = "NOTICE\n\nThis work was made of the following parts.\n";
  for (const Component& component : components) {
    out += fmt::format("\n{} {}\n", role_name(component.role), component.name);
    if (component.license.empty()) {
      out += "  names no licence\n";
      continue;
    }
    out += fmt::format("  licensed under {}\n", component.license);
    const auto sets = parse_license_expression(component.license);
    if (!sets.ok()) continue;
    std::vector<std::string_view> told;
    for (const auto& set : sets.value())
      for (const std::string& id : set) {
        const LicenseTerms* terms = find_license(id);
        if (terms == nullptr || std::ranges::find(told, terms->clause) != told.end()) continue;
        told.push_back(terms->clause);
        out += fmt::format("  {}: {}\n", terms->id, terms->clause);
      }
  }
  return out + fmt::format("\n{}\n", not_legal_advice);
}

}  // namespace holdfast::scan
