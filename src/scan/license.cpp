#include "scan/license.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::scan {
namespace {

constexpr size_t expression_bytes_max = 1000;
constexpr size_t alternatives_max = 64;
constexpr int depth_max = 16;

using Sets = std::vector<std::vector<std::string>>;

class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : rest_(text) {}

  Result<Sets> whole() {
    TRY(Sets sets, either(0));
    if (!peek().empty()) return wrong();
    return sets;
  }

 private:
  static Error wrong() { return fail(Reason::bad_request, "not a licence expression"); }

  std::string_view peek() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
    if (rest_.empty()) return {};
    if (rest_[0] == '(' || rest_[0] == ')') return rest_.substr(0, 1);
    return rest_.substr(0, std::min(rest_.find_first_of(" \t()"), rest_.size()));
  }
  std::string_view next() {
    const std::string_view word = peek();
    rest_.remove_prefix(word.size());
    return word;
  }
  bool take(std::string_view upper, std::string_view lower) {
    const std::string_view word = peek();
    if (word != upper && word != lower) return false;
    next();
    return true;
  }

  Result<Sets> either(int depth) {
    TRY(Sets sets, both(depth));
    while (take("OR", "or")) {
      TRY(Sets more, both(depth));
      sets.insert(sets.end(), more.begin(), more.end());
      if (sets.size() > alternatives_max) return wrong();
    }
    return sets;
  }
  Result<Sets> both(int depth) {
    TRY(Sets sets, one(depth));
    while (take("AND", "and")) {
      TRY(const Sets more, one(depth));
      Sets product;
      for (const auto& a : sets)
        for (const auto& b : more) {
          product.push_back(a);
          product.back().insert(product.back().end(), b.begin(), b.end());
          if (product.size() > alternatives_max) return wrong();
        }
      sets = std::move(product);
    }
    return sets;
  }
  Result<Sets> one(int depth) {
    if (depth > depth_max) return wrong();
    if (take("(", "(")) {
      TRY(Sets sets, either(depth + 1));
      if (!take(")", ")")) return wrong();
      return sets;
    }
    const std::string_view id = next();
    static constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+:_";
    const auto is_id = [](std::string_view word) {
      return !word.empty() && word.find_first_not_of(allowed) == word.npos;
    };
    if (!is_id(id) || id == "AND" || id == "OR" || id == "WITH") return wrong();
    if (take("WITH", "with") && !is_license_exception(next())) return wrong();
    return Sets{{std::string(id)}};
  }

  std::string_view rest_;
};

std::string display(const Component& component) {
  return fmt::format("{} {}", role_name(component.role), component.name);
}

void add(LicenseReport& report, LicenseReason reason) {
  report.verdict = std::max(report.verdict, reason.verdict);
  report.reasons.push_back(std::move(reason));
}
void duty(LicenseReport& report, std::string text) {
  if (std::find(report.duties.begin(), report.duties.end(), text) == report.duties.end())
    report.duties.push_back(std::move(text));
}

// What one licence of one component means for the use.
void judge_terms(const Component& component, const LicenseTerms& terms, const IntendedUse& use,
                 LicenseReport& report) {
  const std::string name = display(component), license(terms.id), clause(terms.clause);
  const bool commercial = use.purpose == IntendedUse::Purpose::commercial;
  if (terms.research_only && use.purpose != IntendedUse::Purpose::research)
    add(report, {Verdict::refused, name, license, "research-only",
                 fmt::format("{} is licensed for research alone", name), clause});
  else if (terms.commercial == Commercial::no && commercial)
    add(report, {Verdict::refused, name, license, "non-commercial",
                 fmt::format("{} must not be used commercially", name), clause});
  if (terms.commercial == Commercial::conditional && commercial)
    add(report, {Verdict::conditional, name, license, "condition",
                 fmt::format("{}: {}", name, terms.condition), clause});
  // Training on a data set is not sharing it; a model made from another is a derivative of it.
  const bool derived = component.role == Component::Role::base_model;
  if (terms.derivatives == Derivatives::not_shared && derived && use.shared)
    add(report, {Verdict::refused, name, license, "no-derivatives",
                 fmt::format("what is made of {} must not be handed on", name), clause});
  if (terms.share_alike == ShareAlike::network && component.role != Component::Role::dataset)
    add(report, {Verdict::conditional, name, license, "network-share-alike",
                 fmt::format("who uses {} over a network must be offered the source", name), clause});
  if (terms.attribution) duty(report, fmt::format("keep the notices of {} ({})", name, terms.id));
  if (terms.use_restrictions)
    duty(report, fmt::format("pass on the use restrictions of {} ({})", name, terms.id));
  if (terms.share_alike == ShareAlike::strong && use.shared)
    duty(report, fmt::format("share what is made of {} under {}", name, terms.id));
}

LicenseReport judge_component(const Component& component, const IntendedUse& use,
                              std::vector<const LicenseTerms*>& chosen) {
  const std::string name = display(component);
  const auto unknown = [&](std::string reason) {
    LicenseReport report;
    add(report, {Verdict::review, name, component.license, "unknown", std::move(reason), {}});
    return report;
  };
  if (component.license.empty())
    return unknown(fmt::format("{} names no licence: a person must decide", name));
  const auto sets = parse_license_expression(component.license);
  if (!sets.ok()) return unknown(fmt::format("the licence of {} cannot be read: a person must decide", name));
  std::optional<LicenseReport> best;
  for (const auto& set : sets.value()) {
    LicenseReport report;
    std::vector<const LicenseTerms*> all;
    for (const std::string& id : set) {
      if (const LicenseTerms* terms = find_license(id)) {
        judge_terms(component, *terms, use, report);
        all.push_back(terms);
      } else {
        add(report, {Verdict::review,
                     name,
                     id,
                     "unknown",
                     fmt::format("nothing is known of the licence {} of {}: a person must decide", id, name),
                     {}});
      }
    }
    if (best && best->verdict <= report.verdict) continue;
    best = std::move(report);
    chosen = std::move(all);
  }
  return std::move(*best);
}

bool compatible(const LicenseTerms& from, const LicenseTerms& to) {
  return from.id == to.id || (from.id == "cc-by-sa-4.0" && to.id == "gpl-3.0") ||
         (from.id == "cc-by-sa-3.0" && to.id == "cc-by-sa-4.0") ||
         (from.id == "gpl-3.0" && to.id == "agpl-3.0") ||
         (from.id == "lgpl-3.0" && (to.id == "gpl-3.0" || to.id == "agpl-3.0")) ||
         (from.id == "lgpl-2.1" && (to.id == "gpl-2.0" || to.id == "gpl-3.0")) || from.id == "gpl" ||
         to.id == "gpl";
}

// What the model says of itself against what it was made from.
void judge_pair(const Component& base, const LicenseTerms& from, const Component& model,
                const LicenseTerms& to, const IntendedUse& use, LicenseReport& report) {
  const std::string name = display(model);
  const auto against = [&](Verdict verdict, std::string_view rule, std::string reason) {
    add(report,
        {verdict, name, std::string(to.id), std::string(rule), std::move(reason), std::string(from.clause)});
  };
  const bool base_model = base.role == Component::Role::base_model;
  if (from.commercial == Commercial::no && to.commercial != Commercial::no && base_model)
    against(Verdict::refused, "relicensed",
            fmt::format("{} calls itself {} though {} forbids commercial use ({})", name, to.id,
                        display(base), from.id));
  if (from.use_restrictions && !to.use_restrictions && base_model)
    against(Verdict::refused, "relicensed",
            fmt::format("{} calls itself {} and drops the use restrictions of {} ({})", name, to.id,
                        display(base), from.id));
  const bool strong = from.share_alike == ShareAlike::strong || from.share_alike == ShareAlike::network;
  if (strong && !compatible(from, to) && (base_model || base.role == Component::Role::code))
    against(use.shared ? Verdict::refused : Verdict::conditional, "share-alike",
            fmt::format("{} calls itself {}, but what is made of {} and shared must be {}", name, to.id,
                        display(base), from.id));
  if (from.id == "apache-2.0" && to.id == "gpl-2.0")
    against(Verdict::refused, "incompatible",
            fmt::format("{} ({}) cannot become part of a work under {}", display(base), from.id, to.id));
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

Result<Sets> parse_license_expression(std::string_view text) {
  if (text.size() > expression_bytes_max)
    return fail(Reason::bad_request, "a licence expression is too long");
  return ExpressionParser(text).whole();
}

LicenseReport judge_licenses(std::span<const Component> components, const IntendedUse& use) {
  LicenseReport report;
  std::vector<std::vector<const LicenseTerms*>> chosen(components.size());
  for (size_t i = 0; i < components.size(); ++i) {
    LicenseReport one = judge_component(components[i], use, chosen[i]);
    for (LicenseReason& reason : one.reasons) add(report, std::move(reason));
    for (std::string& text : one.duties) duty(report, std::move(text));
  }
  for (size_t m = 0; m < components.size(); ++m) {
    if (components[m].role != Component::Role::model) continue;
    for (size_t b = 0; b < components.size(); ++b) {
      if (b == m || components[b].role == Component::Role::model) continue;
      for (const LicenseTerms* from : chosen[b])
        for (const LicenseTerms* to : chosen[m])
          judge_pair(components[b], *from, components[m], *to, use, report);
    }
  }
  if (components.empty())
    add(report, {Verdict::review, {}, {}, "unknown", "nothing names a licence: a person must decide", {}});
  std::stable_sort(report.reasons.begin(), report.reasons.end(),
                   [](const LicenseReason& a, const LicenseReason& b) { return a.verdict > b.verdict; });
  return report;
}

}  // namespace holdfast::scan
