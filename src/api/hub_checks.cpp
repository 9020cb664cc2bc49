#include "api/hub_checks.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/services.h"
#include "codec/json.h"
#include "repo/hub.h"
#include "repo/revisions.h"
#include "scan/license_view.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

Result<scan::IntendedUse> read_use(const net::Query& query) {
  scan::IntendedUse use;
  const std::string_view purpose = query.get("purpose");
  using Purpose = scan::IntendedUse::Purpose;
  if (purpose.empty() || purpose == "commercial")
    use.purpose = Purpose::commercial;
  else if (purpose == "non-commercial")
    use.purpose = Purpose::non_commercial;
  else if (purpose == "research")
    use.purpose = Purpose::research;
  else
    return fail(Reason::bad_request, "\"purpose\" is commercial, non-commercial or research");
  use.shared = query.flag("shared");
  return use;
}

json::object license_view(std::span<const scan::Component> parts, const scan::IntendedUse& use) {
  const scan::LicenseReport report = scan::judge_licenses(parts, use);
  json::array components, duties;
  for (const scan::Component& part : parts)
    components.push_back(
        json::object{{"role", scan::role_name(part.role)}, {"name", part.name}, {"license", part.license}});
  for (const std::string& duty : report.duties) duties.emplace_back(duty);
  return json::object{{"verdict", scan::verdict_name(report.verdict)},
                      {"components", std::move(components)},
                      {"reasons", scan::reasons_view(report)},
                      {"duties", std::move(duties)},
                      {"answers", scan::answers_view(scan::answer_questions(parts, use))},
                      {"noticeText", scan::notice_text(parts)},
                      {"notice", scan::not_legal_advice}};
}

Result<Response> checks(Services& services, const Call& call) {
  const repo::Repository& repository = call.repo();
  TRY(const scan::IntendedUse use, read_use(call.query()));
  TRY(const git::Repository objects, services.hub.storage.open(repository.id));
  TRY(const repo::Revision revision,
      repo::find_revision(services.hub.publisher, objects, repository.id, call.capture("rev")));
  TRY(const repo::RevisionVerdict verdict, services.hub.checks.verdict(repository, objects, revision.commit));
  TRY(json::object out, codec::parse_json_object(verdict.json, {.bytes_max = 64 << 20}));
  TRY(const auto parts, services.hub.checks.license_parts(repository, objects, revision.commit));
  out["license"] = license_view(parts, use);
  return json_answer(out);
}

}  // namespace

Result<json::object> security_status(Services& services, const repo::Repository& repository,
                                     const git::Repository& objects, const git::ObjectId& commit) {
  TRY(const repo::RevisionVerdict verdict, services.hub.checks.verdict(repository, objects, commit));
  TRY(const json::object report, codec::parse_json_object(verdict.json, {.bytes_max = 64 << 20}));
  json::array issues;
  for (const json::value& each : report.at("files").as_array()) {
    const json::object& file = each.as_object();
    const json::string& severity = file.at("severity").as_string();
    if (severity == "note") continue;
    issues.push_back(json::object{{"path", file.at("path")},
                                  {"level", severity == "dangerous" ? "unsafe" : "suspicious"}});
  }
  return json::object{{"scansDone", true}, {"filesWithIssues", std::move(issues)}};
}

json::object safe_file_status() {
  return {{"status", "safe"},
          {"avScan", json::object{{"virusFound", false}, {"virusNames", json::array()}}},
          {"pickleImportScan", nullptr}};
}

Result<json::object> file_statuses(Services& services, const repo::Repository& repository,
                                   const git::Repository& objects, const git::ObjectId& commit) {
  TRY(const repo::RevisionVerdict verdict, services.hub.checks.verdict(repository, objects, commit));
  TRY(const json::object report, codec::parse_json_object(verdict.json, {.bytes_max = 64 << 20}));
  json::object out;
  for (const json::value& each : report.at("files").as_array()) {
    const json::object& file = each.as_object();
    const json::string& severity = file.at("severity").as_string();
    json::object status = safe_file_status();
    if (severity != "note") status["status"] = severity == "dangerous" ? "unsafe" : "suspicious";
    if (file.at("pickle").as_bool()) {
      // The client's words for the safety of a name are ours.
      std::string_view highest = "innocuous";
      for (const json::value& import : file.at("imports").as_array()) {
        const std::string_view safety = import.as_object().at("safety").as_string();
        if (safety == "dangerous" || (safety == "suspicious" && highest != "dangerous")) highest = safety;
      }
      status["pickleImportScan"] =
          json::object{{"highestSafetyLevel", highest}, {"imports", file.at("imports")}};
    }
    out[file.at("path").as_string()] = std::move(status);
  }
  return out;
}

void add_hub_check_routes(RouteTable& table, Services& services) {
  table.add({.method = "GET",
             .pattern = "/api/{T}/{id}/checks/{rev}",
             .name = "hub_checks",
             .access = Access::repo_read,
             .handle = [&services](const Call& call) { return checks(services, call); }});
}

}  // namespace holdfast::api
