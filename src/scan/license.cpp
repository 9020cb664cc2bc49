#include "scan/license.h"

#include <fmt/format.h>

#include <algorithm>

#include "scan/license_pairs.h"

namespace holdfast::scan {
namespace {

constexpr size_t ways_max = 1024;  // Choices of all components together that are tried.

std::string display(const Component& component) {
  return fmt::format("{} {}", role_name(component.role), component.name);
}

// What one licence of one component means for the use.
void judge_terms(const Component& component, const LicenseTerms& terms, const IntendedUse& use,
                 LicenseReport& report) {
  using Role = Component::Role;
  const std::string name = display(component), license(terms.id), clause(terms.clause);
  const auto against = [&](Verdict verdict, std::string_view rule, std::string reason) {
    add_reason(report, {verdict, name, license, std::string(rule), std::move(reason), clause});
  };
  const bool commercial = use.purpose == IntendedUse::Purpose::commercial;
  if (terms.research_only && use.purpose != IntendedUse::Purpose::research)
    against(Verdict::refused, "research-only", fmt::format("{} is licensed for research alone", name));
  else if (terms.commercial == Commercial::no && commercial)
    against(Verdict::refused, "non-commercial", fmt::format("{} must not be used commercially", name));
  // What a licence asks beyond commerce holds for every purpose, and whether it is met no rule can see.
  if (!terms.condition.empty())
    against(Verdict::conditional, "condition", fmt::format("{}: {}", name, terms.condition));
  else if (terms.use_restrictions)
    against(Verdict::conditional, "use-restrictions",
            fmt::format("{} must not be used for what its licence lists: is this use none of it?", name));
  // A model made from another is a derivative of it; a copy as it is may be handed on.
  if (terms.derivatives == Derivatives::not_shared && use.shared && component.role == Role::base_model)
    against(Verdict::refused, "no-derivatives",
            fmt::format("what is made of {} must not be handed on", name));
  else if (terms.derivatives == Derivatives::not_shared && use.shared)
    against(Verdict::conditional, "no-derivatives", fmt::format("{} may be handed on unchanged alone", name));
  if (terms.share_alike == ShareAlike::network && component.role != Role::dataset)
    against(Verdict::conditional, "network-share-alike",
            fmt::format("who uses {} over a network must be offered the source", name));
  if (terms.attribution) add_duty(report, fmt::format("keep the notices of {} ({})", name, terms.id));
  if (terms.use_restrictions)
    add_duty(report, fmt::format("pass on the use restrictions of {} ({})", name, terms.id));
  if (terms.share_alike >= ShareAlike::strong && use.shared)
    add_duty(report, fmt::format("share what is made of {} under {}", name, terms.id));
}

using Chosen = std::vector<ChosenLicense>;

// The ways in which a component may be licensed to us; none where nothing can be read.
std::vector<std::vector<std::string>> choices_of(const Component& component) {
  auto sets = parse_license_expression(component.license);
  return sets.ok() ? std::move(sets).value() : std::vector<std::vector<std::string>>{};
}

// One component under one of its choices; null: it has none.
Chosen judge_choice(const Component& component, const std::vector<std::string>* ids, const IntendedUse& use,
                    LicenseReport& report) {
  const std::string name = display(component);
  const auto unknown = [&](const std::string& license, std::string reason) {
    add_reason(report, {Verdict::review, name, license, "unknown", std::move(reason), {}});
  };
  Chosen chosen;
  if (component.license.empty()) {
    unknown({}, fmt::format("{} names no licence: a person must decide", name));
  } else if (ids == nullptr) {
    unknown(component.license, fmt::format("the licence of {} cannot be read: a person must decide", name));
  } else {
    for (const std::string& id : *ids) {
      if (const LicenseTerms* terms = find_license(id)) {
        judge_terms(component, *terms, use, report);
        chosen.push_back({terms, says_or_later(id)});
      } else {
        unknown(id, fmt::format("nothing is known of the licence {} of {}: a person must decide", id, name));
      }
    }
  }
  return chosen;
}

LicenseReport judge_one_way(std::span<const Component> components,
                            std::span<const std::vector<std::string>* const> ways, const IntendedUse& use) {
  LicenseReport report;
  std::vector<Chosen> chosen;
  for (size_t i = 0; i < components.size(); ++i)
    chosen.push_back(judge_choice(components[i], ways[i], use, report));
  for (size_t m = 0; m < components.size(); ++m) {
    if (components[m].role != Component::Role::model || chosen[m].empty()) continue;
    for (size_t b = 0; b < components.size(); ++b) {
      if (components[b].role == Component::Role::model) continue;
      for (const ChosenLicense& from : chosen[b])
        judge_license_pair(components[b], from, components[m], chosen[m], use, report);
    }
  }
  return report;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::allowed:
      return "allowed";
    case Verdict::conditional:
      return "conditional";
    case Verdict::review:
      return "review";
    case Verdict::refused:
      return "refused";
  }
  return "";
}

std::string_view role_name(Component::Role role) {
  switch (role) {
    case Component::Role::model:
      return "model";
    case Component::Role::base_model:
      return "base model";
    case Component::Role::dataset:
      return "dataset";
    case Component::Role::code:
      return "code";
  }
  return "";
}

LicenseReport judge_licenses(std::span<const Component> components, const IntendedUse& use) {
  LicenseReport best;
  if (components.empty()) {
    add_reason(best,
               {Verdict::review, {}, {}, "unknown", "nothing names a licence: a person must decide", {}});
    return best;
  }
  std::vector<std::vector<std::vector<std::string>>> choices;
  std::vector<const std::vector<std::string>*> ways(components.size(), nullptr);
  for (size_t i = 0; i < components.size(); ++i) {
    choices.push_back(choices_of(components[i]));
    if (!choices[i].empty()) ways[i] = choices[i].data();
  }
  // Whoever is offered a choice takes the best one, of all components together.
  best = judge_one_way(components, ways, use);
  for (size_t tried = 1; tried < ways_max && best.verdict != Verdict::allowed; ++tried) {
    size_t at = 0;
    for (; at < components.size(); ++at) {
      if (choices[at].size() < 2) continue;
      if (++ways[at] != choices[at].data() + choices[at].size()) break;
      ways[at] = choices[at].data();
    }
    if (at == components.size()) break;
    LicenseReport other = judge_one_way(components, ways, use);
    if (other.verdict < best.verdict) best = std::move(other);
  }
  std::stable_sort(best.reasons.begin(), best.reasons.end(),
                   [](const LicenseReason& a, const LicenseReason& b) { return a.verdict > b.verdict; });
  return best;
}

}  // namespace holdfast::scan
