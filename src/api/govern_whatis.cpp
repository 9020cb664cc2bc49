// The five questions of an incident: version deployed, its prompt and preprocessing, the evaluation that
// approved it, where a rollback goes, who owns it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/govern_views.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using govern::Approval;
using govern::Evidence;
using govern::Exception;
using govern::ExceptionState;
using govern::Facts;
using govern::Governed;
using govern::Incident;
using govern::Record;
using govern::Registry;
using govern::Release;
using govern::ReleaseState;
using govern::tier_name;

json::value deployed_view(const std::string& record, const Release* release) {
  if (release == nullptr) return nullptr;
  const bool canary = release->state == ReleaseState::canary;
  return json::object{
      {"release", release->number},
      {"model", release->model},
      {"revision", release->revision},
      {"tokenizer", release->parts.contains("tokenizer") ? release->parts.at("tokenizer") : nullptr},
      {"deployment", fmt::format("{}/{}/{}", record, release->number, canary ? "canary" : "stable")},
      {"percent", canary ? release->percent : 100},
      {"exception", release->exception != 0},
      {"since", format_time(release->since)}};
}

json::value accuracy_of(const Evidence& evidence) {
  const auto metrics = codec::json_object_if(evidence.body, "metrics");
  if (!metrics.ok() || metrics.value() == nullptr) return nullptr;
  const json::value* accuracy = metrics.value()->if_contains("accuracy");
  if (accuracy == nullptr) return nullptr;
  if (!accuracy->is_object()) return *accuracy;
  const json::value* value = accuracy->get_object().if_contains("value");
  return value == nullptr ? json::value(nullptr) : *value;
}

// Where a rollback of the stable release would go.
const Release* rollback_target(const Governed& governed) {
  const std::string& rollback = governed.stored.record.rollback;
  for (const Release& release : governed.releases) {
    const bool wanted =
        rollback.empty() || rollback == "previous" || std::to_string(release.number) == rollback;
    if (wanted && release.state == ReleaseState::deprecated) return &release;
  }
  return nullptr;
}

Result<json::object> record_answer(Registry& registry, const identity::Caller& caller,
                                   const Governed& governed) {
  const Record& record = governed.stored.record;
  const Release* stable = governed.in(ReleaseState::deployed);
  const Release* target = rollback_target(governed);
  json::object view{{"record", record.id},
                    {"deployed", deployed_view(record.id, stable)},
                    {"canary", deployed_view(record.id, governed.in(ReleaseState::canary))},
                    {"owner", record.owner},
                    {"oncall", json::array(record.oncall.begin(), record.oncall.end())},
                    {"tier", tier_name(record.tier)},
                    {"environment", record.environment},
                    {"frozen", governed.stored.freeze ? json::value(governed.stored.freeze->reason)
                                                      : json::value(nullptr)}};
  view["rollback"] =
      target == nullptr
          ? json::value(nullptr)
          : json::value(json::object{{"release", target->number}, {"revision", target->revision}});
  view["prompt"] = nullptr;
  view["preprocessing"] = nullptr;
  json::array approved_by, approvals, exceptions, incidents;
  if (stable != nullptr) {
    const auto part = [&](const char* name) {
      const json::value* value = stable->parts.if_contains(name);
      return value == nullptr ? json::value(nullptr) : *value;
    };
    view["prompt"] = json::object{{"name", part("prompt")}, {"digest", part("prompt_digest")}};
    view["preprocessing"] = part("preprocessing");
    TRY(const Facts facts, registry.releases.facts(caller, record.id, stable->number));
    for (const Evidence& evidence : facts.evidence)
      approved_by.push_back(json::object{{"evidence", evidence.id},
                                         {"kind", evidence.kind},
                                         {"digest", evidence.digest},
                                         {"accuracy", accuracy_of(evidence)}});
    for (const Approval& approval : facts.approvals)
      approvals.push_back(
          json::object{{"user", approval.user}, {"role", approval.role}, {"new", approval.new_approver}});
  }
  TRY(const auto all, registry.exceptions.list(caller, record.id));
  for (const Exception& exception : all)
    if (exception.state == ExceptionState::live) exceptions.push_back(exception_view(exception));
  TRY(const auto open, registry.watch.incidents(caller, record.id, "open"));
  for (const Incident& incident : open) incidents.emplace_back(incident.id);
  view["approved_by"] = std::move(approved_by);
  view["approvals"] = std::move(approvals);
  view["exceptions"] = std::move(exceptions);
  view["open_incidents"] = std::move(incidents);
  return view;
}

}  // namespace

Result<json::object> whatis_view(Registry& registry, const identity::Caller& caller,
                                 std::string_view feature) {
  TRY(const auto live, registry.live.look());
  json::array records;
  for (const Governed& governed : live->records) {
    const auto& features = governed.stored.record.features;
    if (std::find(features.begin(), features.end(), feature) == features.end()) continue;
    TRY(const bool visible, registry.access.may_see(caller, governed.stored));
    if (!visible) continue;
    TRY(json::object answer, record_answer(registry, caller, governed));
    records.push_back(std::move(answer));
  }
  if (records.empty())
    return fail(Code::not_found, fmt::format("no record has the feature '{}'", feature.substr(0, 200)));
  return json::object{{"feature", feature}, {"records", std::move(records)}};
}

}  // namespace holdfast::api
