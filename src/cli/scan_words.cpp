#include "cli/scan_words.h"

#include <fmt/format.h>

#include <boost/json/value.hpp>

namespace holdfast::cli {

std::string finding_place(const scan::Finding& finding) {
  std::string out = finding.place.file;
  if (!finding.place.member.empty()) out += " (" + finding.place.member + ")";
  if (finding.place.line) out += fmt::format(":{}", *finding.place.line);
  if (finding.place.offset) out += fmt::format(" @{}", *finding.place.offset);
  return out;
}

boost::json::object finding_json(const scan::Finding& finding) {
  boost::json::object out{{"file", finding.place.file},
                          {"topic", scan::topic_name(finding.topic)},
                          {"rule", finding.rule},
                          {"severity", scan::severity_name(finding.severity)},
                          {"reason", finding.reason}};
  if (!finding.place.member.empty()) out["member"] = finding.place.member;
  if (finding.place.line) out["line"] = *finding.place.line;
  if (finding.place.offset) out["offset"] = *finding.place.offset;
  return out;
}

}  // namespace holdfast::cli
