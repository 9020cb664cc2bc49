#include "scan/finding.h"

#include <algorithm>

namespace holdfast::scan {

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::dangerous:
      return "dangerous";
  }
  return "";
}

std::string_view topic_name(Topic topic) {
  switch (topic) {
    case Topic::pickle:
      return "pickle";
    case Topic::archive:
      return "archive";
    case Topic::secret:
      return "secret";
    case Topic::license:
      return "license";
    case Topic::card:
      return "card";
    case Topic::format:
      return "format";
    case Topic::personal:
      return "personal";
  }
  return "";
}

std::string_view safety_name(Safety safety) {
  switch (safety) {
    case Safety::innocuous:
      return "innocuous";
    case Safety::suspicious:
      return "suspicious";
    case Safety::dangerous:
      return "dangerous";
  }
  return "";
}

void FileReport::add(Finding finding) {
  if (findings.size() < findings_max) {
    findings.push_back(std::move(finding));
    return;
  }
  const auto least =
      std::min_element(findings.begin(), findings.end(),
                       [](const Finding& a, const Finding& b) { return a.severity < b.severity; });
  if (least->severity < finding.severity) *least = std::move(finding);
}

Severity FileReport::worst() const {
  Severity worst = Severity::note;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

}  // namespace holdfast::scan
