// /api/registry/records, /api/registry/roles: what is set for a record as a whole.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/govern_views.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

Result<Response> put_record(const GovernDoor& door, const Call& call) {
  TRY(const govern::PutRecord put,
      door.registry.records.put(call.caller, record_in_path(call), call.request.body));
  if (put.stored) {
    TRY(const json::object view, record_view(door.registry, call.caller, *put.stored));
    return json_answer(view, put.created ? 201 : 200);
  }
  json::array fields;
  std::string message = "the record is not right:";
  for (const govern::FieldProblem& problem : put.problems) {
    fields.push_back(json::object{{"field", problem.field}, {"why", problem.why}});
    message += " " + problem.field + " " + problem.why + ";";
  }
  message.pop_back();
  return error_answer_with(call.request, fail(Reason::bad_request, message), call.context,
                           {{"fields", fields}});
}

Result<Response> list_records(const GovernDoor& door, const Call& call) {
  TRY(const auto records, door.registry.records.list(call.caller));
  json::array out;
  for (const govern::StoredRecord& stored : records) {
    TRY(json::object view, record_view(door.registry, call.caller, stored));
    out.push_back(std::move(view));
  }
  return json_answer(json::object{{"records", std::move(out)}});
}

Result<Response> show_record(const GovernDoor& door, const Call& call) {
  TRY(const govern::StoredRecord stored, door.registry.records.find(call.caller, record_in_path(call)));
  TRY(const json::object view, record_view(door.registry, call.caller, stored));
  return json_answer(view);
}

Response text_answer(std::string text, std::string type) {
  Response response;
  response.headers.set("Content-Type", std::move(type));
  response.body = std::move(text);
  return response;
}

Result<Response> show_yaml(const GovernDoor& door, const Call& call) {
  TRY(const govern::StoredRecord stored, door.registry.records.find(call.caller, record_in_path(call)));
  return text_answer(stored.source, "application/yaml; charset=utf-8");
}

Result<Response> decisions(const GovernDoor& door, const Call& call) {
  const std::string record = record_in_path(call);
  TRY_DONE(door.registry.records.find(call.caller, record));
  TRY(const auto list, door.registry.decisions.list(record, std::nullopt));
  if (call.query().get("format") == "markdown")
    return text_answer(govern::decisions_markdown(record, list), "text/markdown; charset=utf-8");
  json::array out;
  for (const govern::Decision& decision : list) out.push_back(govern::decision_json(decision));
  return json_answer(json::object{{"decisions", std::move(out)}});
}

Result<Response> add_criteria(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  TRY(const govern::Criteria criteria,
      door.registry.records.add_criteria(call.caller, record_in_path(call), body));
  return json_answer(criteria_view(criteria), 201);
}

Result<Response> list_criteria(const GovernDoor& door, const Call& call) {
  TRY(const auto all, door.registry.records.criteria(call.caller, record_in_path(call)));
  json::array out;
  for (const govern::Criteria& criteria : all) out.push_back(criteria_view(criteria));
  return json_answer(json::object{{"criteria", std::move(out)}});
}

Result<Response> set_frozen(const GovernDoor& door, const Call& call, govern::Records::Freezing what) {
  TRY(const json::object body, body_object(call));
  TRY(const std::string reason, reason_in(body));
  TRY_DONE(door.registry.records.set_frozen(call.caller, record_in_path(call), what, reason));
  return show_record(door, call);
}
Result<Response> freeze(const GovernDoor& door, const Call& call) {
  return set_frozen(door, call, govern::Records::Freezing::freeze);
}
Result<Response> unfreeze(const GovernDoor& door, const Call& call) {
  return set_frozen(door, call, govern::Records::Freezing::unfreeze);
}

Result<Response> list_roles(const GovernDoor& door, const Call& call) {
  TRY(const auto roles, door.registry.roles.list(call.capture("ns")));
  json::array out;
  for (const govern::Role& role : roles) out.push_back(role_view(role));
  return json_answer(json::object{{"roles", std::move(out)}});
}

Result<Response> propose_role(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  TRY(const std::string_view user, codec::json_text(body, "user"));
  TRY(const std::string_view role, codec::json_text(body, "role"));
  TRY(const govern::Role made, door.registry.roles.propose(call.caller, call.capture("ns"), user, role));
  return json_answer(role_view(made), 201);
}

Result<Response> confirm_role(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const govern::Role role, door.registry.roles.confirm(call.caller, call.capture("ns"), id));
  return json_answer(role_view(role));
}

Result<Response> withdraw_role(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const govern::Role role, door.registry.roles.withdraw(call.caller, call.capture("ns"), id));
  return json_answer(role_view(role));
}

}  // namespace

void add_govern_record_routes(RouteTable& table, const GovernDoor& door) {
  const auto add = [&](const char* method, const char* pattern, const char* name, GovernAnswer answer) {
    const bool reads = std::string_view(method) == "GET";
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = reads ? Access::signed_in : Access::signed_in_write,
               .body_bytes_max = reads ? 0 : govern_body_bytes_max,
               .handle = govern_handler(door, answer)});
  };
  add("GET", "/api/registry/records", "govern_records", list_records);
  add("PUT", "/api/registry/records/{ns}/{name}", "govern_put_record", put_record);
  add("GET", "/api/registry/records/{ns}/{name}", "govern_record", show_record);
  add("GET", "/api/registry/records/{ns}/{name}/yaml", "govern_record_yaml", show_yaml);
  add("GET", "/api/registry/records/{ns}/{name}/decisions", "govern_decisions", decisions);
  add("POST", "/api/registry/records/{ns}/{name}/criteria", "govern_add_criteria", add_criteria);
  add("GET", "/api/registry/records/{ns}/{name}/criteria", "govern_criteria", list_criteria);
  add("POST", "/api/registry/records/{ns}/{name}/freeze", "govern_freeze", freeze);
  add("POST", "/api/registry/records/{ns}/{name}/unfreeze", "govern_unfreeze", unfreeze);
  add("GET", "/api/registry/roles/{ns}", "govern_roles", list_roles);
  add("POST", "/api/registry/roles/{ns}", "govern_propose_role", propose_role);
  add("POST", "/api/registry/roles/{ns}/{num}/confirm", "govern_confirm_role", confirm_role);
  add("POST", "/api/registry/roles/{ns}/{num}/withdraw", "govern_withdraw_role", withdraw_role);
}

}  // namespace holdfast::api
