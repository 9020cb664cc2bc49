// /api/registry/records/…/releases, /api/registry/evidence, /api/registry/exceptions: the life of releases.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/govern_golden.h"
#include "api/govern_views.h"
#include "api/release_memory.h"
#include "api/services.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using govern::Releases;
using net::Response;

Result<Response> shown(const GovernDoor& door, const Call& call, int64_t number, int status = 200) {
  TRY(const json::object view, release_view(door.registry, call.caller, record_in_path(call), number));
  return json_answer(view, status);
}

Result<Response> create(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  TRY(const auto revision, codec::json_text_if(body, "revision"));
  TRY(const auto note, codec::json_text_if(body, "note"));
  TRY(const govern::Release release,
      door.registry.releases.create(call.caller, record_in_path(call), revision.value_or("main"),
                                    note.value_or("")));
  return shown(door, call, release.number, 201);
}

Result<Response> list(const GovernDoor& door, const Call& call) {
  TRY(const auto releases, door.registry.releases.list(call.caller, record_in_path(call)));
  json::array out;
  for (const govern::Release& release : releases) out.push_back(release_short_view(release));
  return json_answer(json::object{{"releases", std::move(out)}});
}

Result<Response> show(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  return shown(door, call, number);
}

// What memory it needs beside the release that takes the traffic now.
Result<Response> foresee(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(json::value memory, foreseen_release_memory(door, call, number));
  return json_answer(
      json::object{{"record", record_in_path(call)}, {"release", number}, {"memory", std::move(memory)}});
}

Result<Response> step(const GovernDoor& door, const Call& call, Releases::Verb verb) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string reason, reason_in(body));
  const std::string record = record_in_path(call);
  TRY(const govern::Stepped stepped, door.registry.releases.step(call.caller, record, number, verb, reason));
  const auto* refusal = std::get_if<govern::Refusal>(&stepped);
  if (refusal == nullptr) return shown(door, call, number);
  TRY(const govern::StoredRecord stored, door.registry.records.find(call.caller, record));
  return error_answer_with(call.request, fail(Reason::precondition_failed, refusal->message), call.context,
                           {{"missing", missing_view(refusal->missing, stored.record, number)}});
}
// The golden examples are run before the gates are asked about them. What a model cannot answer now is a gate
// that waits, not an error.
CallHandler step_handler(const RouteTable& table, Services& services, const GovernDoor& door,
                         Releases::Verb verb) {
  return [&table, &services, door, verb](const Call& call) -> Result<Response> {
    TRY(const int64_t number, number_in_path(call, "num"));
    // First, as the golden examples load the release.
    if (verb != Releases::Verb::validate) TRY_DONE(check_release_memory(door, call, number));
    const Status ran = run_missing_golden(table, services, door, call, record_in_path(call), number);
    if (!ran.ok())
      services.log.warn("golden_run_failed", {{"release", number}, {"why", ran.error().message}});
    return step(door, call, verb);
  };
}

CallHandler golden_handler(const RouteTable& table, Services& services, const GovernDoor& door) {
  return [&table, &services, door](const Call& call) -> Result<Response> {
    TRY(const int64_t number, number_in_path(call, "num"));
    TRY(const govern::Evidence evidence,
        run_golden(table, services, door, call, record_in_path(call), number));
    return json_answer(evidence_view(evidence), 201);
  };
}

using Judgement = Result<govern::Release> (Releases::*)(const identity::Caller&, const std::string&, int64_t,
                                                        std::string_view, std::string_view);
Result<Response> judge(const GovernDoor& door, const Call& call, Judgement judgement) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string_view role, codec::json_text(body, "role"));
  TRY(const std::string reason, reason_in(body));
  TRY_DONE((door.registry.releases.*judgement)(call.caller, record_in_path(call), number, role, reason));
  return shown(door, call, number);
}
Result<Response> approve(const GovernDoor& door, const Call& call) {
  return judge(door, call, &Releases::approve);
}
Result<Response> reject(const GovernDoor& door, const Call& call) {
  return judge(door, call, &Releases::reject);
}

Result<Response> retire(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string reason, reason_in(body));
  TRY_DONE(door.registry.releases.retire(call.caller, record_in_path(call), number, reason));
  return shown(door, call, number);
}

Result<Response> roll_back(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string reason, reason_in(body));
  TRY(const auto to, codec::json_integer_if(body, "to"));
  TRY_DONE(
      door.registry.releases.roll_back(call.caller, record_in_path(call), number, to.value_or(0), reason));
  return shown(door, call, number);
}

Result<Response> add_evidence(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  govern::NewEvidence wish;
  TRY(wish.kind, codec::json_text(body, "kind"));
  TRY(const json::object* facts, codec::json_object(body, "body"));
  wish.body = *facts;
  TRY(const json::array* rows, codec::json_array_if(body, "rows"));
  if (rows != nullptr)
    for (const json::value& row : *rows) {
      if (!row.is_object()) return fail(Reason::bad_request, "'rows' holds objects");
      wish.rows.push_back(row.get_object());
    }
  TRY(const govern::Evidence evidence,
      door.registry.releases.add_evidence(call.caller, record_in_path(call), number, wish));
  return json_answer(evidence_view(evidence), 201);
}

Result<Response> show_evidence(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const Releases::FullEvidence full, door.registry.releases.find_evidence(call.caller, id));
  json::object view = evidence_view(full.evidence);
  view["record"] = full.record;
  if (call.query().flag("rows")) {
    TRY(view["row_list"], codec::parse_json(full.rows));
  }
  return json_answer(view);
}

Result<Response> propose_exception(const GovernDoor& door, const Call& call) {
  TRY(const int64_t number, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string reason, reason_in(body));
  TRY(const std::string_view expires, codec::json_text(body, "expires"));
  TRY(const WallTime until, parse_time(expires));
  TRY(const govern::Exception exception,
      door.registry.exceptions.propose(call.caller, record_in_path(call), number, reason, until));
  return json_answer(exception_view(exception), 201);
}

using ExceptionStep = Result<govern::Exception> (govern::Exceptions::*)(const identity::Caller&, int64_t,
                                                                        std::string_view);
Result<Response> exception_step(const GovernDoor& door, const Call& call, ExceptionStep step) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string reason, reason_in(body));
  TRY(const govern::Exception exception, (door.registry.exceptions.*step)(call.caller, id, reason));
  return json_answer(exception_view(exception));
}
Result<Response> confirm_exception(const GovernDoor& door, const Call& call) {
  return exception_step(door, call, &govern::Exceptions::confirm);
}
Result<Response> end_exception(const GovernDoor& door, const Call& call) {
  return exception_step(door, call, &govern::Exceptions::end);
}

}  // namespace

void add_govern_release_routes(RouteTable& table, Services& services, const GovernDoor& door) {
  const auto get = [&](const char* pattern, const char* name, GovernAnswer answer) {
    table.add({.method = "GET",
               .pattern = pattern,
               .name = name,
               .access = Access::signed_in,
               .handle = govern_handler(door, answer)});
  };
  const auto post_to = [&](const std::string& pattern, const std::string& name, CallHandler handler,
                           uint64_t bytes_max = govern_body_bytes_max) {
    table.add({.method = "POST",
               .pattern = pattern,
               .name = name,
               .access = Access::signed_in_write,
               .body_bytes_max = bytes_max,
               .handle = std::move(handler)});
  };
  const auto post = [&](const std::string& pattern, const std::string& name, GovernAnswer answer,
                        uint64_t bytes_max = govern_body_bytes_max) {
    post_to(pattern, name, govern_handler(door, answer), bytes_max);
  };
  get("/api/registry/records/{ns}/{name}/releases", "govern_releases", list);
  post("/api/registry/records/{ns}/{name}/releases", "govern_create_release", create);
  get("/api/registry/records/{ns}/{name}/releases/{num}", "govern_release", show);
  const std::string one = "/api/registry/records/{ns}/{name}/releases/{num}/";
  get("/api/registry/records/{ns}/{name}/releases/{num}/foresee", "govern_release_foresee", foresee);
  const std::pair<std::string, GovernAnswer> verbs[] = {
      {"approve", approve}, {"reject", reject}, {"rollback", roll_back}, {"retire", retire}};
  for (const auto& [verb, answer] : verbs) post(one + verb, "govern_release_" + verb, answer);
  const std::pair<std::string, Releases::Verb> steps[] = {{"validate", Releases::Verb::validate},
                                                          {"canary", Releases::Verb::canary},
                                                          {"deploy", Releases::Verb::deploy},
                                                          {"promote", Releases::Verb::promote}};
  for (const auto& [verb, step] : steps)
    post_to(one + verb, "govern_release_" + verb, step_handler(table, services, door, step));
  post_to(one + "golden", "govern_run_golden", golden_handler(table, services, door));
  post(one + "evidence", "govern_add_evidence", add_evidence, evidence_body_bytes_max);
  post(one + "exceptions", "govern_propose_exception", propose_exception);
  get("/api/registry/evidence/{num}", "govern_evidence", show_evidence);
  post("/api/registry/exceptions/{num}/confirm", "govern_confirm_exception", confirm_exception);
  post("/api/registry/exceptions/{num}/end", "govern_end_exception", end_exception);
}

}  // namespace holdfast::api
