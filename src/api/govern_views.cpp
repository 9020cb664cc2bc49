#include "api/govern_views.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using govern::all_missing;
using govern::Approval;
using govern::approvals_gate;
using govern::ask_gates;
using govern::Criteria;
using govern::criteria_json;
using govern::Decision;
using govern::decision_json;
using govern::Evidence;
using govern::Exception;
using govern::exception_state_name;
using govern::ExceptionState;
using govern::Facts;
using govern::FieldProblem;
using govern::figures_json;
using govern::gate_state_name;
using govern::GateOutcome;
using govern::GateState;
using govern::Governed;
using govern::Incident;
using govern::is_live;
using govern::KeptPrediction;
using govern::KeptRequest;
using govern::Missing;
using govern::missing_fields;
using govern::next_step;
using govern::Record;
using govern::record_json;
using govern::Registry;
using govern::Release;
using govern::ReleaseState;
using govern::ReviewItem;
using govern::Role;
using govern::roles_needed;
using govern::state_name;
using govern::Step;
using govern::StoredRecord;

// The command that supplies a missing fact.
std::string command_for(const Missing& missing, const Record& record, int64_t release) {
  if (missing.action == "edit_record") return "holdfast registry import registry.yaml";
  if (missing.action == "set_criteria")
    return fmt::format("holdfast release criteria {} FILE.json", record.id);
  if (missing.action == "run_evaluation")
    return fmt::format("holdfast eval {} --release {}", record.id, release);
  if (missing.action == "add_evidence")
    return fmt::format("holdfast release evidence {} {} --kind {} FILE.json", record.id, release,
                       missing.kind_or_role);
  if (missing.action == "run_golden") return fmt::format("holdfast release golden {} {}", record.id, release);
  if (missing.action == "approve")
    return fmt::format("holdfast release approve {} {} --role {} --reason …", record.id, release,
                       missing.kind_or_role);
  if (missing.action == "grant_role")
    return fmt::format("holdfast release role {} USER {}", record.ns(), missing.kind_or_role);
  if (missing.action == "unfreeze") return fmt::format("holdfast release unfreeze {} --reason …", record.id);
  return fmt::format("holdfast gate {} {}", record.id, release);
}

json::value release_number(const Release* release) {
  return release == nullptr ? json::value(nullptr) : json::value(release->number);
}

std::string_view next_name(const Facts& facts, bool something_deployed) {
  if (facts.release.state == ReleaseState::validated && approvals_gate(facts).state != GateState::passed)
    return "approve";
  const auto next = next_step(facts, something_deployed);
  if (!next) return "";
  switch (*next) {
    case Step::validate:
      return "validate";
    case Step::canary:
      return "canary";
    case Step::deploy:
      return "deploy";
  }
  return "";
}

json::array gates_view(const std::vector<GateOutcome>& gates, const Facts& facts) {
  json::array out;
  for (const GateOutcome& gate : gates)
    out.push_back(json::object{{"gate", gate.gate},
                               {"state", gate_state_name(gate.state)},
                               {"reason", gate.reason},
                               {"missing", missing_view(gate.missing, facts.record, facts.release.number)}});
  return out;
}

}  // namespace

json::array missing_view(const std::vector<Missing>& missing, const Record& record, int64_t release) {
  json::array out;
  for (const Missing& one : missing) {
    json::object supply{{"action", one.action}, {"command", command_for(one, record, release)}};
    if (one.action == "edit_record") supply["field"] = one.fact;
    if (one.action == "add_evidence") supply["kind"] = one.kind_or_role;
    if (one.action == "approve" || one.action == "grant_role") supply["role"] = one.kind_or_role;
    out.push_back(json::object{
        {"gate", one.gate}, {"fact", one.fact}, {"needs", one.needs}, {"supply", std::move(supply)}});
  }
  return out;
}

json::object exception_view(const Exception& exception) {
  return {{"id", exception.id},
          {"record", exception.record},
          {"release", exception.release},
          {"state", exception_state_name(exception.state)},
          {"reason", exception.reason},
          {"proposed_by", exception.proposed_by},
          {"confirmed_by", exception.confirmed_by},
          {"at", format_time(exception.at)},
          {"expires", format_time(exception.expires)}};
}

json::object evidence_view(const Evidence& evidence) {
  return {{"id", evidence.id},
          {"release", evidence.release},
          {"kind", evidence.kind},
          {"digest", evidence.digest},
          {"rows_digest", evidence.rows_digest},
          {"rows", evidence.rows},
          {"at", format_time(evidence.at)},
          {"by", evidence.by},
          {"body", evidence.body}};
}

json::object criteria_view(const Criteria& criteria) {
  json::object view = criteria_json(criteria);
  view["number"] = criteria.number;
  view["at"] = format_time(criteria.at);
  view["by"] = criteria.by;
  return view;
}

json::object role_view(const Role& role) {
  return {{"id", role.id},
          {"user", role.user},
          {"role", role.role},
          {"state", role.state},
          {"proposed_by", role.proposed_by},
          {"confirmed_by", role.confirmed_by},
          {"at", format_time(role.at)},
          {"new", role.newcomer}};
}

json::object release_short_view(const Release& release) {
  return {
      {"record", release.record},   {"number", release.number},      {"state", state_name(release.state)},
      {"model", release.model},     {"revision", release.revision},  {"digest", release.digest},
      {"author", release.author},   {"at", format_time(release.at)}, {"since", format_time(release.since)},
      {"percent", release.percent}, {"note", release.note},          {"exception", release.exception != 0}};
}

json::object request_view(const KeptRequest& request) {
  json::array predictions;
  for (const KeptPrediction& prediction : request.predictions)
    predictions.push_back(json::object{
        {"item", prediction.item},
        {"label", prediction.label},
        {"score", prediction.score},
        {"truth", prediction.truth.empty() ? json::value(nullptr) : json::value(prediction.truth)},
        {"correct", prediction.truth.empty() ? json::value(nullptr)
                                             : json::value(prediction.truth == prediction.label)}});
  json::object view{{"id", request.id},
                    {"at", format_time(request.at)},
                    {"record", request.record},
                    {"release", request.release},
                    {"deployment", request.deployment},
                    {"model", request.model},
                    {"revision", request.revision},
                    {"tokenizer", request.tokenizer},
                    {"feature", request.feature},
                    {"user", request.user},
                    {"door", request.door},
                    {"status", request.status},
                    {"ms", request.took_ms},
                    {"predictions", std::move(predictions)}};
  if (request.input) view["input"] = *request.input;
  if (request.output) view["output"] = *request.output;
  return view;
}

json::object review_view(const ReviewItem& item) {
  return {{"id", item.id},
          {"request", item.request},
          {"item", item.item},
          {"release", item.release},
          {"input", item.input},
          {"label", item.predicted},
          {"score", item.score},
          {"why", item.why},
          {"truth", item.truth.empty() ? json::value(nullptr) : json::value(item.truth)},
          {"state", item.state},
          {"reason", item.reason},
          {"by", item.reviewer},
          {"at", format_time(item.at)}};
}

Result<json::object> release_view(Registry& registry, const identity::Caller& caller,
                                  const std::string& record, int64_t number) {
  TRY(const Facts facts, registry.releases.facts(caller, record, number));
  TRY(const auto live, registry.live.look());
  const Governed* governed = live->named(record);
  const bool something_deployed = governed != nullptr && governed->in(ReleaseState::deployed) != nullptr;
  const auto gates =
      ask_gates(facts, facts.release.state == ReleaseState::candidate ? Step::validate : Step::deploy);
  json::object view = release_short_view(facts.release);
  view["parts"] = facts.release.parts;
  view["gates"] = gates_view(gates, facts);
  view["missing"] = missing_view(all_missing(gates), facts.record, number);
  const std::string_view next = next_name(facts, something_deployed);
  view["next"] = next.empty() ? json::value(nullptr) : json::value(next);
  json::array approvals, evidence, exceptions, timeline;
  for (const Approval& approval : facts.approvals)
    approvals.push_back(json::object{{"user", approval.user},
                                     {"role", approval.role},
                                     {"reason", approval.reason},
                                     {"at", format_time(approval.at)},
                                     {"new", approval.new_approver}});
  for (const Evidence& one : facts.evidence) {
    json::object short_view = evidence_view(one);
    const auto began = codec::json_text_if(one.body, "began");
    const bool amended = one.kind == "evaluation" && !facts.criteria.empty() && began.ok() && began.value() &&
                         parse_time(*began.value()).ok() &&
                         facts.criteria.back().at > parse_time(*began.value()).value();
    short_view["note"] = amended ? "criteria changed after the run" : "";
    evidence.push_back(std::move(short_view));
  }
  if (facts.exception) exceptions.push_back(exception_view(*facts.exception));
  TRY(const auto decisions, registry.decisions.list(record, number));
  for (const Decision& decision : decisions) timeline.push_back(decision_json(decision));
  const auto roles = roles_needed(facts.record.tier);
  view["roles_needed"] = json::array(roles.begin(), roles.end());
  view["authors"] = json::array(facts.release.authors.begin(), facts.release.authors.end());
  view["approvals"] = std::move(approvals);
  view["evidence"] = std::move(evidence);
  view["exceptions"] = std::move(exceptions);
  view["timeline"] = std::move(timeline);
  view["watch"] = nullptr;
  if (is_live(facts.release.state)) {
    TRY(const auto figures, registry.watch.figures(record));
    if (figures) view["watch"] = figures_json(*figures, facts.record.false_alarms_max);
  }
  return view;
}

Result<json::object> record_view(Registry& registry, const identity::Caller& caller,
                                 const StoredRecord& stored) {
  const Record& record = stored.record;
  json::object view = record_json(record);
  view["id"] = record.id;
  view["digest"] = stored.digest;
  view["changed"] = format_time(stored.changed);
  view["changed_by"] = stored.changed_by;
  std::vector<Missing> missing;
  for (const FieldProblem& field : missing_fields(record))
    missing.push_back({"record", field.field, field.why, "edit_record"});
  view["missing"] = missing_view(missing, record, 0);
  view["frozen"] = stored.freeze ? json::value(json::object{{"reason", stored.freeze->reason},
                                                            {"by", stored.freeze->by},
                                                            {"at", format_time(stored.freeze->at)}})
                                 : json::value(nullptr);
  TRY(const auto live, registry.live.look());
  json::array releases, exceptions, incidents;
  const Release* stable = nullptr;
  const Release* canary = nullptr;
  if (const Governed* governed = live->named(record.id)) {
    for (const Release& release : governed->releases) releases.push_back(release_short_view(release));
    stable = governed->in(ReleaseState::deployed);
    canary = governed->in(ReleaseState::canary);
  }
  view["live"] = json::object{{"stable", release_number(stable)},
                              {"canary", release_number(canary)},
                              {"percent", canary == nullptr ? 0 : canary->percent}};
  view["releases"] = std::move(releases);
  TRY(const auto all, registry.exceptions.list(caller, record.id));
  for (const Exception& exception : all)
    if (exception.state == ExceptionState::live || exception.state == ExceptionState::proposed)
      exceptions.push_back(exception_view(exception));
  view["exceptions"] = std::move(exceptions);
  TRY(const auto open, registry.watch.incidents(caller, record.id, "open"));
  for (const Incident& incident : open) incidents.emplace_back(incident.id);
  view["open_incidents"] = std::move(incidents);
  return view;
}

Result<json::object> incident_view(Registry& registry, const identity::Caller& caller,
                                   const Incident& incident) {
  json::object view = incident.body;
  view["id"] = incident.id;
  view["record"] = incident.record;
  view["state"] = incident.state;
  view["cause"] = incident.cause;
  view["opened"] = format_time(incident.opened);
  view["closed"] =
      incident.state == "closed" ? json::value(format_time(incident.closed)) : json::value(nullptr);
  TRY(const StoredRecord stored, registry.records.find(caller, incident.record));
  json::value* samples = view.if_contains("samples");
  if (samples == nullptr || !samples->is_array()) return view;
  const bool reads = registry.access.may_change(caller, stored.record.ns());
  for (json::value& sample : samples->get_array()) {
    if (!sample.is_object() || !reads) continue;
    TRY(const std::string_view request, codec::json_text(sample.get_object(), "request"));
    TRY(const int64_t item, codec::json_integer(sample.get_object(), "item"));
    auto input = registry.requests.input_text(std::string(request), item);
    if (input.ok()) sample.get_object()["input"] = std::move(input).value();
  }
  return view;
}

}  // namespace holdfast::api
