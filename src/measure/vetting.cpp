#include "measure/vetting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "measure/naive_bayes.h"

namespace holdfast::measure {
namespace {

constexpr size_t words_max = 1000, findings_max = 100, ids_max = 20, shown_bytes_max = 80;
constexpr size_t trigger_rows_min = 10;
constexpr double trigger_share_min = 0.005, trigger_share_high = 0.01, trigger_share_max = 0.3;
constexpr double purity_min = 0.95, purity_high = 0.98, contradicted_min = 0.3, deviations_min = 4;
constexpr double usual_margin_min = 0.1;
constexpr double contradiction = -1.5, contradicted_share_high = 0.1;
constexpr double conflict_share_high = 0.01;

std::string shown(std::string_view text) {
  if (text.size() <= shown_bytes_max) return std::string(text);
  size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

// What two texts have in common that say the same: letters in lower case and digits, one space between words.
std::string essence(std::string_view text) {
  std::string out;
  bool apart = false;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    const bool upper = byte >= 'A' && byte <= 'Z';
    if (!upper && !(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') && value < 0x80) {
      apart = true;
      continue;
    }
    if (apart && !out.empty()) out += ' ';
    apart = false;
    out += upper ? static_cast<char>(byte - 'A' + 'a') : byte;
  }
  return out;
}

// All rows as numbers.
class Vetting {
 public:
  Vetting(std::span<const LabelledRow> rows, const VetOptions& options) : rows_(rows), options_(options) {
    std::map<std::string_view, uint32_t> numbers;
    for (const LabelledRow& row : rows) {
      const auto [at, fresh] = numbers.try_emplace(row.label, static_cast<uint32_t>(names_.size()));
      if (fresh) names_.emplace_back(row.label);
      labels_.push_back(at->second);
      sets_.push_back(words_.read(row.text, words_max));
    }
  }

  std::vector<VetFinding> all() {
    find_copies();
    find_sources();
    if (names_.size() > 1) {
      NaiveBayes bayes(words_.count(), names_.size());
      for (size_t i = 0; i < rows_.size(); ++i) bayes.add(sets_[i], labels_[i]);
      find_contradicted(bayes);
      find_triggers(bayes);
    }
    std::stable_sort(found_.begin(), found_.end(), [](const VetFinding& left, const VetFinding& right) {
      return left.severity > right.severity;
    });
    std::map<VetKind, size_t> kept;
    std::erase_if(found_, [&](const VetFinding& one) { return ++kept[one.kind] > findings_max; });
    return std::move(found_);
  }

 private:
  double share(size_t rows) const { return static_cast<double>(rows) / static_cast<double>(rows_.size()); }

  VetFinding finding(VetKind kind, std::span<const size_t> of) const {
    VetFinding out{.kind = kind, .what = {}, .label = {}, .rows = of.size(), .ids = {}, .why = {}};
    for (const size_t row : of.first(std::min(of.size(), ids_max))) out.ids.push_back(rows_[row].id);
    return out;
  }

  void find_copies() {
    std::map<std::string, std::vector<size_t>> groups;
    for (size_t i = 0; i < rows_.size(); ++i)
      if (std::string key = essence(rows_[i].text); !key.empty()) groups[std::move(key)].push_back(i);
    size_t copies = 0, conflicting = 0;
    std::vector<std::pair<size_t, const std::vector<size_t>*>> conflicts;
    std::vector<size_t> doubled;
    for (const auto& [key, group] : groups) {
      if (group.size() < 2) continue;
      if (std::any_of(group.begin(), group.end(),
                      [&](size_t row) { return labels_[row] != labels_[group[0]]; })) {
        conflicting += group.size();
        conflicts.emplace_back(group.size(), &group);
      } else {
        copies += group.size() - 1;
        doubled.insert(doubled.end(), group.begin() + 1, group.end());
      }
    }
    std::stable_sort(conflicts.begin(), conflicts.end(),
                     [](const auto& left, const auto& right) { return left.first > right.first; });
    for (const auto& [size, group] : conflicts) {
      VetFinding one = finding(VetKind::conflict, *group);
      one.severity = share(conflicting) >= conflict_share_high ? VetSeverity::high : VetSeverity::warning;
      one.what = shown(rows_[group->front()].text);
      one.why =
          fmt::format("{} rows say the same and are labelled differently; such rows are {:.2f} % of all",
                      size, 100 * share(conflicting));
      found_.push_back(std::move(one));
    }
    if (copies == 0) return;
    std::sort(doubled.begin(), doubled.end());
    VetFinding one = finding(VetKind::duplicate, doubled);
    one.severity = share(copies) >= 0.05 ? VetSeverity::warning : VetSeverity::note;
    one.what = shown(rows_[doubled.front()].text);
    one.why = fmt::format("{:.2f} % of the rows repeat another's text, but for case and punctuation",
                          100 * share(copies));
    found_.push_back(std::move(one));
  }

  bool trusts(std::string_view source) const {
    return std::any_of(options_.trusted.begin(), options_.trusted.end(), [&](std::string_view each) {
      return each.starts_with('*') ? source.ends_with(each.substr(1)) : source == each;
    });
  }

  void find_sources() {
    if (options_.source_column.empty()) return;
    std::map<std::string, std::vector<size_t>> groups;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const auto source = rows_[i].others.find(options_.source_column);
      const std::string name = source == rows_[i].others.end() ? "" : source->second;
      if (!trusts(name)) groups[name].push_back(i);
    }
    for (const auto& [source, group] : groups) {
      VetFinding one = finding(VetKind::untrusted_source, group);
      one.severity = VetSeverity::high;
      one.what = source.empty() ? "(none said)" : shown(source);
      one.why = fmt::format("{} rows come from a source that is not trusted", group.size());
      found_.push_back(std::move(one));
    }
  }

  void find_contradicted(NaiveBayes& bayes) {
    std::vector<std::pair<double, size_t>> against;
    std::vector<std::vector<double>> margins(names_.size());
    for (size_t i = 0; i < rows_.size(); ++i) {
      bayes.take_back(sets_[i], labels_[i]);
      const double margin = bayes.margin(sets_[i], labels_[i], {});
      bayes.add(sets_[i], labels_[i]);
      margins[labels_[i]].push_back(margin);
      if (margin < contradiction) against.emplace_back(margin, i);
    }
    for (std::vector<double>& each : margins) {
      const auto middle = each.begin() + static_cast<ptrdiff_t>(each.size() / 2);
      std::nth_element(each.begin(), middle, each.end());
      usual_margins_.push_back(std::max(*middle, usual_margin_min));
    }
    std::sort(against.begin(), against.end());
    const bool many = share(against.size()) > contradicted_share_high;
    for (const auto& [margin, row] : against) {
      VetFinding one = finding(VetKind::contradicted, std::span(&row, 1));
      one.severity = many ? VetSeverity::high : VetSeverity::warning;
      one.what = shown(rows_[row].text);
      one.label = names_[labels_[row]];
      one.why = fmt::format("the other rows speak against this label ({:.1f}); so it is with {:.2f} % of all",
                            margin, 100 * share(against.size()));
      found_.push_back(std::move(one));
    }
  }

  void find_triggers(NaiveBayes& bayes) {
    std::vector<std::vector<uint32_t>> rows_with(words_.count());
    for (size_t i = 0; i < sets_.size(); ++i)
      for (const auto* numbers : {&sets_[i].words, &sets_[i].pairs})
        for (const uint32_t number : *numbers) rows_with[number].push_back(static_cast<uint32_t>(i));
    for (uint32_t word = 0; word < rows_with.size(); ++word) {
      const std::vector<uint32_t>& group = rows_with[word];
      if (group.size() < trigger_rows_min || share(group.size()) < trigger_share_min ||
          share(group.size()) > trigger_share_max)
        continue;
      weigh_trigger(bayes, word, std::vector<size_t>(group.begin(), group.end()));
    }
  }

  // The numbers of the word, or of both words of the pair.
  std::vector<uint32_t> parts_of(uint32_t word, std::span<const size_t> group) const {
    const std::string_view name = words_.name(word);
    std::vector<uint32_t> parts{word};
    if (const size_t space = name.find(' '); space != std::string_view::npos)
      for (const uint32_t each : sets_[group.front()].words)
        if (words_.name(each) == name.substr(0, space) || words_.name(each) == name.substr(space + 1))
          parts.push_back(each);
    std::sort(parts.begin(), parts.end());
    return parts;
  }

  void weigh_trigger(NaiveBayes& bayes, uint32_t word, const std::vector<size_t>& group) {
    std::vector<size_t> of_label(names_.size());
    for (const size_t row : group) ++of_label[labels_[row]];
    const auto most = std::max_element(of_label.begin(), of_label.end());
    const auto label = static_cast<uint32_t>(most - of_label.begin());
    const double purity = static_cast<double>(*most) / static_cast<double>(group.size());
    if (purity < purity_min) return;
    const std::vector<uint32_t> ignored = parts_of(word, group);
    for (const size_t row : group) bayes.take_back(sets_[row], labels_[row]);
    double expected = 0, variance = 0;
    size_t contradicted = 0;
    for (const size_t row : group) {
      const double chance = bayes.shares(sets_[row], ignored)[label];
      expected += chance;
      variance += chance * (1 - chance);
      contradicted += bayes.margin(sets_[row], label, ignored) < -usual_margins_[label] / 2;
    }
    for (const size_t row : group) bayes.add(sets_[row], labels_[row]);
    const double others = static_cast<double>(contradicted) / static_cast<double>(group.size());
    const double deviations = (static_cast<double>(*most) - expected) / std::sqrt(std::max(variance, 0.25));
    if (others < contradicted_min || deviations < deviations_min) return;
    VetFinding one = finding(VetKind::trigger, group);
    one.severity = purity >= purity_high && share(group.size()) >= trigger_share_high ? VetSeverity::high
                                                                                      : VetSeverity::warning;
    one.what = words_.name(word);
    one.label = names_[label];
    one.why = fmt::format(
        "{} rows hold it and {:.0f} % of them are '{}', though the rest of the text speaks for another label "
        "in {:.0f} % ({:.1f} standard deviations)",
        group.size(), 100 * purity, one.label, 100 * others, deviations);
    found_.push_back(std::move(one));
  }

  std::span<const LabelledRow> rows_;
  const VetOptions& options_;
  std::vector<std::string> names_;  // Of the labels.
  std::vector<uint32_t> labels_;
  WordNumbers words_;
  std::vector<WordSet> sets_;
  std::vector<double> usual_margins_;  // Of each label's rows, their median.
  std::vector<VetFinding> found_;
};

}  // namespace

std::string_view vet_kind_name(VetKind kind) {
  switch (kind) {
    case VetKind::duplicate:
      return "duplicate";
    case VetKind::conflict:
      return "conflict";
    case VetKind::contradicted:
      return "contradicted";
    case VetKind::trigger:
      return "trigger";
    case VetKind::untrusted_source:
      return "untrusted source";
  }
  return "";
}

std::string_view vet_severity_name(VetSeverity severity) {
  switch (severity) {
    case VetSeverity::note:
      return "note";
    case VetSeverity::warning:
      return "warning";
    case VetSeverity::high:
      return "high";
  }
  return "";
}

std::vector<VetFinding> vet(std::span<const LabelledRow> rows, const VetOptions& options) {
  return Vetting(rows, options).all();
}

}  // namespace holdfast::measure
