#include "cli/sarif.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "cli/version.h"
#include "codec/hex.h"
#include "codec/percent.h"
#include "codec/sha256.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

std::string_view level_of(scan::Severity severity) {
  switch (severity) {
    case scan::Severity::dangerous:
      return "error";
    case scan::Severity::warning:
      return "warning";
    case scan::Severity::note:
      return "note";
  }
  return "none";
}

// A reference to a file is a relative URI: every part of the path in percent signs, the slashes as they are.
std::string uri_of(std::string_view path) {
  std::string out;
  while (true) {
    const size_t slash = path.find('/');
    out += codec::percent_encode(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    out += '/';
    path.remove_prefix(slash + 1);
  }
}

json::object location_of(const scan::Place& place) {
  json::object physical{{"artifactLocation", json::object{{"uri", uri_of(place.file)}}}};
  // Both counts are of the file itself: a place within a member of it is told by name alone.
  if (place.line && place.member.empty()) physical["region"] = json::object{{"startLine", *place.line}};
  if (!place.line && place.offset && place.member.empty())
    physical["region"] = json::object{{"byteOffset", *place.offset}, {"byteLength", 1}};
  json::object location{{"physicalLocation", std::move(physical)}};
  if (!place.member.empty())
    location["logicalLocations"] =
        json::array{json::object{{"fullyQualifiedName", place.member}, {"kind", "member"}}};
  return location;
}

// The same from run to run as long as rule, file and place are: by it viewers know a result again.
std::string fingerprint(const scan::Finding& finding) {
  const std::string text = finding.rule + '\0' + finding.place.file + '\0' + finding.place.member + '\0' +
                           std::to_string(finding.place.line.value_or(0)) + '\0' +
                           std::to_string(finding.place.offset.value_or(0)) + '\0' + finding.reason;
  return codec::to_hex(codec::sha256(as_bytes(text)));
}

}  // namespace

json::object sarif_log(std::span<const SarifFinding> findings, std::span<const std::string> gaps) {
  std::map<std::string, size_t> rule_places;
  json::array rules, results, notices;
  for (const auto& [finding, more] : findings) {
    const auto [place, fresh] = rule_places.try_emplace(finding.rule, rules.size());
    if (fresh)
      rules.push_back(json::object{{"id", finding.rule},
                                   {"shortDescription", json::object{{"text", finding.rule}}},
                                   {"properties", json::object{{"topic", scan::topic_name(finding.topic)}}}});
    json::object result{{"ruleId", finding.rule},
                        {"ruleIndex", place->second},
                        {"level", level_of(finding.severity)},
                        {"message", json::object{{"text", finding.reason}}},
                        {"locations", json::array{location_of(finding.place)}},
                        {"partialFingerprints", json::object{{"holdfastPlace/v1", fingerprint(finding)}}}};
    if (!more.empty()) result["properties"] = more;
    results.push_back(std::move(result));
  }
  for (const std::string& gap : gaps)
    notices.push_back(
        json::object{{"level", "error"}, {"message", json::object{{"text", "not looked at: " + gap}}}});
  json::object invocation{{"executionSuccessful", gaps.empty()}};
  if (!notices.empty()) invocation["toolExecutionNotifications"] = std::move(notices);
  json::object driver{
      {"name", "Holdfast"}, {"semanticVersion", program_version()}, {"rules", std::move(rules)}};
  json::object run{{"tool", json::object{{"driver", std::move(driver)}}},
                   {"invocations", json::array{std::move(invocation)}},
                   {"results", std::move(results)}};
  return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"version", "2.1.0"},
          {"runs", json::array{std::move(run)}}};
}

}  // namespace holdfast::cli
