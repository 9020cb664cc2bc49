#include "scan/license_pairs.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::scan {
namespace {

using Role = Component::Role;

// Licences of one name with versions: "cc-by-sa-" and "4.0".
std::pair<std::string_view, std::string_view> name_and_version(std::string_view id) {
  const size_t at = id.find_last_not_of("0123456789.");
  return at == std::string_view::npos ? std::pair(id, std::string_view())
                                      : std::pair(id.substr(0, at + 1), id.substr(at + 1));
}

bool is_gnu(std::string_view id) {
  return id.starts_with("gpl") || id.starts_with("lgpl") || id.starts_with("agpl");
}

// Whether what is made of a work under `from` may be given on under `to`.
bool may_become(const ChosenLicense& from, std::string_view to) {
  const std::string_view id = from.terms->id;
  if (id == to) return true;
  const auto [name, version] = name_and_version(id);
  const auto [to_name, to_version] = name_and_version(to);
  // Creative Commons' own later versions, from 2.0 on; GNU's where the licensor says so.
  const bool later = from.or_later || (name.ends_with("-sa-") && version != "1.0");
  if (name == to_name && later && version <= to_version) return true;
  if (id == "cc-by-sa-4.0" && to == "gpl-3.0") return true;
  if (id == "gpl-3.0" || (id == "gpl-2.0" && from.or_later))
    if (to == "agpl-3.0") return true;
  if (name == "lgpl-" || id == "mpl-2.0") return is_gnu(to);  // MPL-2.0's secondary licences.
  if (id == "eupl-1.2") return to == "gpl-2.0" || to == "gpl-3.0" || to == "agpl-3.0" || to == "osl-3.0";
  return id == "gpl" || to == "gpl";  // A card that leaves the version out.
}

bool any(std::span<const ChosenLicense> to, auto&& holds) {
  return std::ranges::any_of(to, [&](const ChosenLicense& each) { return holds(*each.terms); });
}

struct Pair {
  const Component &base, &model;
  const ChosenLicense& from;
  std::span<const ChosenLicense> to;
  const IntendedUse& use;
  LicenseReport& report;

  std::string name_of(const Component& component) const {
    return fmt::format("{} {}", role_name(component.role), component.name);
  }
  void against(Verdict verdict, std::string_view rule, std::string_view what) const {
    const LicenseTerms &mine = *to.front().terms, &theirs = *from.terms;
    add_reason(report, {verdict, name_of(model), std::string(mine.id), std::string(rule),
                        fmt::format("{} calls itself {}, but {} ({}) {}", name_of(model), mine.id,
                                    name_of(base), theirs.id, what),
                        std::string(theirs.clause)});
  }
  bool kept() const {
    return std::ranges::any_of(to,
                               [&](const ChosenLicense& each) { return may_become(from, each.terms->id); });
  }
  Verdict where_shared() const { return use.shared ? Verdict::refused : Verdict::conditional; }
};

// Terms that must travel and do not.
void judge_dropped_terms(const Pair& pair) {
  const LicenseTerms& from = *pair.from.terms;
  const auto dropped = [&](std::string_view what) { pair.against(Verdict::refused, "relicensed", what); };
  const auto mine = [&](auto&& holds) { return any(pair.to, holds); };
  if (from.commercial == Commercial::no &&
      !mine([](const LicenseTerms& to) { return to.commercial == Commercial::no; }))
    dropped("forbids commercial use");
  else if (from.research_only && !mine([](const LicenseTerms& to) { return to.research_only; }))
    dropped("is for research alone");
  if (from.derivatives == Derivatives::not_shared &&
      !mine([](const LicenseTerms& to) { return to.derivatives == Derivatives::not_shared; }))
    dropped("lets no changed copy be handed on");
  if (from.use_restrictions) {
    if (!mine([](const LicenseTerms& to) { return to.use_restrictions; }))
      dropped("has use restrictions, which must be passed on");
    else if (!mine([&](const LicenseTerms& to) { return to.id == from.id || to.family == from.family; }) ||
             (from.family == "community" && !pair.kept()))
      pair.against(Verdict::review, "relicensed", "has terms of its own, which travel: a person must decide");
  }
  if (from.attribution && !mine([](const LicenseTerms& to) { return to.attribution; }))
    pair.against(Verdict::conditional, "notices", "asks that its notices are kept");
}

// Whether what was trained on data is a work made of them is not settled: nobody is told that it is not.
void judge_data(const Pair& pair) {
  const LicenseTerms& from = *pair.from.terms;
  if (!pair.use.shared || pair.kept()) return;
  const bool forbids = from.derivatives == Derivatives::not_shared;
  const bool asks = from.share_alike >= ShareAlike::strong;
  const bool limits = from.commercial == Commercial::no &&
                      !any(pair.to, [](const LicenseTerms& to) { return to.commercial == Commercial::no; });
  const bool narrows =
      from.research_only && !any(pair.to, [](const LicenseTerms& to) { return to.research_only; });
  if (forbids || asks || limits || narrows)
    pair.against(Verdict::review, "data-terms",
                 "may ask for more of a model that learned from it: a person must decide");
}

}  // namespace

bool says_or_later(std::string_view id) {
  std::string low(id.substr(0, 100));
  for (char& c : low) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return low.ends_with("-or-later") || (low.size() > 1 && low.back() == '+' && low[low.size() - 2] != '+');
}

void add_reason(LicenseReport& report, LicenseReason reason) {
  report.verdict = std::max(report.verdict, reason.verdict);
  report.reasons.push_back(std::move(reason));
}

void add_duty(LicenseReport& report, std::string text) {
  if (std::find(report.duties.begin(), report.duties.end(), text) == report.duties.end())
    report.duties.push_back(std::move(text));
}

void judge_license_pair(const Component& base, const ChosenLicense& from, const Component& model,
                        std::span<const ChosenLicense> to, const IntendedUse& use, LicenseReport& report) {
  const Pair pair{base, model, from, to, use, report};
  if (base.role == Role::dataset) return judge_data(pair);
  if (base.role == Role::base_model) judge_dropped_terms(pair);
  if (from.terms->share_alike >= ShareAlike::strong && !pair.kept())
    pair.against(pair.where_shared(), "share-alike", "asks that what is made of it is shared alike");
  else if (from.terms->share_alike == ShareAlike::weak && base.role == Role::base_model && use.shared &&
           !pair.kept())
    pair.against(Verdict::conditional, "share-alike", "asks that its own changed files stay under it");
  const bool old_gpl = std::ranges::any_of(
      to, [](const ChosenLicense& each) { return each.terms->id == "gpl-2.0" && !each.or_later; });
  if (from.terms->id == "apache-2.0" && old_gpl)
    pair.against(pair.where_shared(), "incompatible", "cannot become part of a work under version 2 alone");
}

}  // namespace holdfast::scan
