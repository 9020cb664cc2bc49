// /api/endpoints: the list; /endpoints/{ns}/{name}/**: an endpoint's own address.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/endpoint_call.h"
#include "api/endpoint_wish.h"
#include "api/error_answer.h"
#include "api/fallback_call.h"
#include "api/govern_call.h"
#include "api/guardrail_call.h"
#include "api/input_check.h"
#include "api/input_rules_call.h"
#include "api/known_endpoints.h"
#include "api/named_endpoint.h"
#include "api/probe_routes.h"
#include "api/schedule_routes.h"
#include "api/served_answer.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "api/served_quota.h"
#include "api/services.h"
#include "codec/json.h"
#include "govern/endpoint_keeper.h"
#include "govern/registry.h"
#include "identity/own_caller.h"
#include "identity/permission.h"
#include "observe/desk.h"
#include "observe/endpoint_prober.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t model_body_bytes_max = 16 << 20;
constexpr std::string_view kserve_models = "v2/models/";

json::object deployment_view(const govern::Release& release, const govern::Endpoint& endpoint) {
  const bool canary = release.state == govern::ReleaseState::canary;
  const govern::Attachment* attachment = attachment_for(endpoint, release.revision);
  return {{"name", fmt::format("{}/{}/{}", release.record, release.number, canary ? "canary" : "stable")},
          {"release", release.number},
          {"revision", release.revision},
          {"percent", canary ? release.percent : 100},
          {"engine", attachment == nullptr ? "holdfast" : attachment->engine},
          {"state", govern::state_name(release.state)}};
}

Result<json::object> endpoint_view(const GovernDoor& door, const Call& call,
                                   const govern::Endpoint& endpoint) {
  json::array deployments, attachments;
  for (const govern::Attachment& attachment : endpoint.attachments)
    attachments.push_back(json::object{{"revision", attachment.revision},
                                       {"engine", attachment.engine},
                                       {"url", attachment.url},
                                       {"engine_model", attachment.engine_model},
                                       {"secret", attachment.secret}});
  std::string state(govern::state_name(endpoint.state)), why = endpoint.why;
  TRY(const auto live, door.registry.live.look());
  if (const govern::Governed* governed = endpoint.record.empty() ? nullptr : live->named(endpoint.record)) {
    for (const govern::Release& release : governed->releases)
      if (govern::is_live(release.state)) deployments.push_back(deployment_view(release, endpoint));
    if (deployments.empty() && endpoint.state == govern::EndpointState::running) {
      state = "pending";
      why = "no release of its record is deployed";
    } else if (governed->stored.freeze && endpoint.state == govern::EndpointState::running) {
      state = "frozen";
      why = governed->stored.freeze->reason;
    }
  } else {
    deployments.push_back(json::object{
        {"name", "on-demand"},
        {"release", nullptr},
        {"revision", endpoint.revision},
        {"percent", 100},
        {"engine", endpoint.attachments.empty() ? "holdfast" : endpoint.attachments.front().engine},
        {"state", "running"}});
  }
  return json::object{
      {"id", endpoint.id},
      {"kind", endpoint.attachments.empty() ? "served" : "attached"},
      {"record", endpoint.record.empty() ? json::value(nullptr) : json::value(endpoint.record)},
      {"model", endpoint.model},
      {"revision", endpoint.revision},
      {"engine", endpoint.attachments.empty() ? "holdfast" : endpoint.attachments.front().engine},
      {"url", endpoint.attachments.empty() ? "" : endpoint.attachments.front().url},
      {"attachments", std::move(attachments)},
      {"state", state},
      {"why", why},
      {"settings", settings_view(endpoint.settings)},
      {"created", format_time(endpoint.created)},
      {"by", endpoint.creator},
      {"deployments", std::move(deployments)},
      {"base_url", fmt::format("{}/endpoints/{}", call.base_url, endpoint.id)}};
}

Result<Response> create(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  govern::NewEndpoint wish{.ns = std::string(call.capture("ns"))};
  TRY(wish.name, codec::json_text(body, "name"));
  const auto text = [&](const char* key, std::string& into) -> Status {
    TRY(const auto value, codec::json_text_if(body, key));
    into = value.value_or("");
    return Done{};
  };
  TRY_DONE(text("record", wish.record));
  TRY_DONE(text("model", wish.model));
  TRY_DONE(text("revision", wish.revision));
  TRY_DONE(text("url", wish.url));
  TRY_DONE(text("engine", wish.engine));
  TRY_DONE(text("engine_model", wish.engine_model));
  TRY(wish.settings, read_settings(body));
  TRY_DONE(text("secret", wish.secret));
  std::string token;
  TRY_DONE(text("token", token));
  wish.token = Secret(std::move(token));
  TRY(const govern::Endpoint endpoint, door.registry.endpoints.create(call.caller, wish));
  TRY(const json::object view, endpoint_view(door, call, endpoint));
  return json_answer(view, 201);
}

Result<Response> list(const GovernDoor& door, const Call& call) {
  TRY(const auto endpoints, door.registry.endpoints.list(call.caller));
  json::array out;
  for (const govern::Endpoint& endpoint : endpoints) {
    TRY(json::object view, endpoint_view(door, call, endpoint));
    out.push_back(std::move(view));
  }
  return json_answer(json::object{{"endpoints", std::move(out)}});
}

Result<Response> show(const GovernDoor& door, const Call& call) {
  TRY(const govern::Endpoint endpoint, door.registry.endpoints.find(call.caller, record_in_path(call)));
  TRY(const json::object view, endpoint_view(door, call, endpoint));
  return json_answer(view);
}

Result<Response> update(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  const std::string id = record_in_path(call);
  TRY(const govern::Endpoint before, door.registry.endpoints.find(call.caller, id));
  TRY(const govern::EndpointChange change, read_change(body, before));
  TRY_DONE(check_memory(door, call, change));
  TRY(const govern::Endpoint after, door.registry.endpoints.update(call.caller, id, change));
  TRY(const json::object view, endpoint_view(door, call, after));
  return json_answer(view);
}

// What a change would be, and what memory it needs meanwhile.
Result<Response> foresee(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  const std::string id = record_in_path(call);
  TRY(const govern::Endpoint before, door.registry.endpoints.find(call.caller, id));
  TRY(const govern::EndpointChange change, read_change(body, before));
  TRY(const govern::Endpoint after, door.registry.endpoints.foresee(call.caller, id, change));
  TRY(json::value memory, foreseen_memory(door, call, change));
  return json_answer(json::object{{"id", before.id},
                                  {"model", after.model},
                                  {"revision", after.revision},
                                  {"memory", std::move(memory)}});
}

Result<Response> remove(Services& services, const GovernDoor& door, const Call& call) {
  TRY_DONE(remove_endpoint(services, door, call.caller, record_in_path(call)));
  return json_answer(json::object{{"deleted", record_in_path(call)}});
}

using Change = Result<govern::Endpoint> (govern::Endpoints::*)(const identity::Caller&, const std::string&);

template <Change change>
Result<Response> changed(const GovernDoor& door, const Call& call) {
  TRY(const govern::Endpoint endpoint, (door.registry.endpoints.*change)(call.caller, record_in_path(call)));
  TRY(const json::object view, endpoint_view(door, call, endpoint));
  return json_answer(view);
}

// The row that answers this sub-path for models: the task API's own, or OpenAI's, where the body names a
// model that the endpoint replaces.
const ApiRoute* inner_row(const RouteTable& table, std::string_view method, std::string_view rest) {
  const std::string of_model = fmt::format("/models/{{ns}}/{{name}}{}{}", rest.empty() ? "" : "/", rest);
  const std::string of_root = fmt::format("/{}", rest);
  for (const std::string& pattern : {of_model, of_root})
    for (const ApiRoute& row : table.routes())
      if (row.method == method && row.pattern == pattern && std::holds_alternative<CallHandler>(row.handle) &&
          (pattern == of_model || rest.starts_with("v1/")))
        return &row;
  // A model's name of the open inference protocol is whatever the client calls it.
  if (rest.starts_with(kserve_models))
    for (const ApiRoute& row : table.routes())
      if (row.method == method && row.pattern == "/models/{ns}/{name}/v2/models/{model*}") return &row;
  return nullptr;
}

// In which protocol failures are told there.
Dialect dialect_of(const ApiRoute* row, std::string_view rest) {
  if (row != nullptr) return row->dialect;
  if (rest.starts_with("v1/")) return Dialect::openai;
  return rest.starts_with("v2") ? Dialect::kserve : Dialect::hub;
}

// The names by which engines call what the task API answers.
std::string_view task_path(std::string_view rest) {
  if (rest == "invocations") return "";
  return rest;
}

// Which release answers, when the caller may call the endpoint's model at all.
Result<serve::ReleaseAnswer> admit(Services& services, const GovernDoor& door, const Call& call,
                                   const govern::Endpoint& endpoint) {
  TRY(const auto model, services.hub.repositories.find(repo::RepoId{endpoint.repository}));
  if (!model) return fail(Reason::repo_not_found, "the endpoint's model is gone");
  const identity::Resource resource{repo::entity_kind(model->type), model->ns, model->name, model->visibility,
                                    model->creator};
  if (!services.permission.may_infer(call.caller, resource))
    return fail(Reason::forbidden, "this token may not call models");
  TRY(const bool past_gate, services.hub.rights.may_read_files(call.caller, *model));
  if (!past_gate) return repo::gate_refusal(*model, call.base_url);
  const serve::ReleaseQuestion question{.model = {endpoint.repository, model->full_name(), endpoint.revision},
                                        .revision = endpoint.record.empty()
                                                        ? serve::ReleaseQuestion::Revision::named
                                                        : serve::ReleaseQuestion::Revision::left_open,
                                        .user = call.caller.name,
                                        .environment = call.caller.environment,
                                        .feature = call.request.headers.get("X-Holdfast-Feature"),
                                        .data_class = call.request.headers.get("X-Holdfast-Data-Class"),
                                        .key = call_key(call),
                                        .record = endpoint.record};
  auto asked = door.registry.gatekeeper.ask(question);
  if (!asked.ok() && call.served && call.served->desk != nullptr)
    call.served->desk->turned_away(asked.error());
  return asked;
}

// What an endpoint's address needs to answer.
struct EndpointDoor {
  const RouteTable& table;
  Services& services;
  const GovernDoor& door;
  KnownEndpoints& known;
  const std::string& rest;   // Below the address.
  const std::string& asked;  // The endpoint that the caller asked, whose guardrails hold whoever answers.
  // A guardrail asks past guardrails, quotas and checks; a probe also wakes nobody and is told of nowhere.
  enum class As : uint8_t { callers, guards, probes } as = As::callers;
};

Result<KnownEndpoints::Known> look_up(const EndpointDoor& at, const Call& call, const std::string& id) {
  TRY(govern::Endpoint endpoint, at.door.registry.endpoints.find(call.caller, id));
  if (at.door.keeper != nullptr) endpoint = at.door.keeper->standing(endpoint);
  TRY(serve::ReleaseAnswer by, admit(at.services, at.door, call, endpoint));
  return KnownEndpoints::Known{std::move(endpoint), std::move(by)};
}

InnerRequest inner_request(const Call& call, const serve::ServedModel& model, const std::string& rest) {
  const size_t slash = model.name.find('/');
  InnerRequest inner{
      .method = call.request.method,
      .target = fmt::format("/models/{}", model.name),
      .content_type = std::string(call.request.headers.get("Content-Type")),
      .body = call.request.body,
      .captures = {{"ns", model.name.substr(0, slash)}, {"name", model.name.substr(slash + 1)}}};
  if (rest.starts_with(kserve_models))
    inner.captures.emplace_back("model", rest.substr(kserve_models.size()));
  return inner;
}

Error not_answered(const std::string& rest) {
  return fail(Reason::not_offered, fmt::format("an endpoint does not answer /{}", rest));
}

Result<Response> ask_endpoint(const EndpointDoor& at, const Call& call, const std::string& id);

// The guardrails of the endpoint that was asked, then of the one that answers.
Around guardrails_around(const EndpointDoor& at, const std::string& id) {
  if (at.as != EndpointDoor::As::callers) return {};
  return [at, id](CallHandler handler) {
    // Outlives the request, for the sake of streams.
    GuardAsker ask = [&table = at.table, &services = at.services, &door = at.door, &known = at.known](
                         const Call& call, const std::string& endpoint, const std::string& rest) {
      return ask_endpoint({table, services, door, known, rest, endpoint, EndpointDoor::As::guards}, call,
                          endpoint);
    };
    const GuardedEndpoint asked{at.asked, at.rest, std::move(ask), at.door.guarded,
                                dialect_of(inner_row(at.table, "POST", task_path(at.rest)), at.rest)};
    if (!id.empty() && id != at.asked) {
      GuardedEndpoint answers = asked;
      answers.name = id;
      handler = guarded(at.services, std::move(answers), std::move(handler));
    }
    return guarded(at.services, asked, std::move(handler));
  };
}

// The endpoint itself.
Result<Response> ask_endpoint(const EndpointDoor& at, const Call& call, const std::string& id) {
  const std::string& rest = at.rest;
  const ApiRoute* row = inner_row(at.table, call.request.method, task_path(rest));
  if (call.served && call.served->endpoint.empty()) call.served->endpoint = id;
  const bool callers = at.as == EndpointDoor::As::callers, probes = at.as == EndpointDoor::As::probes;
  // First, as an outage of the database changes nothing of it.
  if (callers) TRY_DONE(check_input(at.services, call));
  TRY(const KnownEndpoints::Known found,
      at.known.settle(KnownEndpoints::key(call, id), look_up(at, call, id)));
  const govern::Endpoint& endpoint = found.endpoint;
  const serve::ReleaseAnswer& by = found.by;
  if (at.door.keeper != nullptr && !probes) TRY_DONE(at.door.keeper->admit(endpoint));
  if (call.served && endpoint.settings && endpoint.settings->queue_delay_ms >= 0 &&
      !says_deadline(call.request))
    call.served->queue_delay_max = std::chrono::milliseconds(endpoint.settings->queue_delay_ms);
  if (call.served) call.served->by = by;  // Whose feature is limited, and whose refusal is counted.
  if (callers) TRY_DONE(take_quota(at.services, call));
  const govern::Attachment* attachment = attachment_for(endpoint, by.model.commit);
  if (attachment == nullptr) {
    if (row == nullptr) return not_answered(rest);
    return run_inner(at.services, *row, call, inner_request(call, by.model, rest), by,
                     probes ? Telling::keep_quiet : Telling::tell, guardrails_around(at, id));
  }
  const InnerRequest inner{
      call.request.method, "", std::string(call.request.headers.get("Content-Type")), call.request.body, {}};
  // Of its own: where this fails, another engine's answer may be told after it.
  Call attempt = call;
  attempt.served = std::make_shared<ServedNote>(call.served ? *call.served : ServedNote{});
  attempt.served->by = by;
  attempt.served->told = false;
  attempt.served->stream.reset();
  attempt.served->work = {};
  CallHandler send = [&](const Call& asked) -> Result<Response> {
    return forward(at.services, at.door, endpoint, *attachment, asked, inner, rest);
  };
  if (const Around around = guardrails_around(at, id)) send = around(std::move(send));
  if (probes) return send(attempt);
  if (call.served) {
    call.served->by = by;
    call.served->told = true;
  }
  auto answer = answer_and_tell(at.services, std::string(attached_door), attempt, send);
  if (call.served) call.served->work.retry_after = attempt.served->work.retry_after;
  return answer;
}

// A model that is no endpoint, in the place of one, by the caller's own right.
Result<Response> ask_model(const EndpointDoor& at, const Call& call, const std::string& name) {
  const std::string& rest = at.rest;
  const ApiRoute* row = inner_row(at.table, call.request.method, task_path(rest));
  if (row == nullptr) return not_answered(rest);
  Call asking = call;
  asking.served = std::make_shared<ServedNote>(*call.served);
  asking.served->by.reset();
  TRY(const serve::ServedModel model, find_served_model(at.services, asking, name));
  // What it was let in with counts what it then takes.
  call.served->quota_subjects = asking.served->quota_subjects;
  call.served->allowance = asking.served->allowance;
  serve::ReleaseAnswer by;
  by.model = model;
  if (asking.served->by) by = *asking.served->by;
  return run_inner(at.services, *row, call, inner_request(call, model, rest), by, Telling::tell,
                   guardrails_around(at, {}));
}

Result<Response> endpoint_call(const EndpointDoor& at, const Call& call, const std::string& endpoint) {
  if (call.served)
    call.served->dialect = dialect_of(inner_row(at.table, call.request.method, task_path(at.rest)), at.rest);
  // Whoever may not see it learns nothing of its fallbacks.
  const auto seen = at.door.registry.endpoints.find(call.caller, endpoint);
  if (!seen.ok() && !(is_outage(seen.error()) && at.known.knows(KnownEndpoints::key(call, endpoint))))
    return seen.error();
  return answer_with_fallbacks(
      at.services, call, endpoint,
      {.endpoint = [&at](const Call& asked, const std::string& id) { return ask_endpoint(at, asked, id); },
       .model = [&at](const Call& asked, const std::string& name) { return ask_model(at, asked, name); }});
}

Result<Response> health(const GovernDoor& door, const Call& call) {
  TRY(const govern::Endpoint endpoint, door.registry.endpoints.find(call.caller, record_in_path(call)));
  const bool answers = endpoint.state == govern::EndpointState::running ||
                       (door.keeper != nullptr && door.keeper->answers_as_before(endpoint));
  if (!answers)
    return fail(Code::unavailable, fmt::format("the endpoint is {}", govern::state_name(endpoint.state)));
  return json_answer(json::object{{"status", "ok"}});
}

// How the prober asks: as the server itself.
class ProbeDoor final : public observe::EndpointAsker {
 public:
  ProbeDoor(const RouteTable& table, Services& services, const GovernDoor& door)
      : table_(table), services_(services), door_(door), known_(services.clock) {}

  Result<std::optional<serve::ReleaseAnswer>> standing(const std::string& id) override {
    std::optional<serve::ReleaseAnswer> none;
    const auto found = door_.registry.endpoints.find(identity::own_caller(actor), id);
    if (!found.ok() && found.error().code == Code::not_found) return none;
    TRY(govern::Endpoint endpoint, found);
    if (!endpoint.record.empty()) return none;  // Has golden examples of its own.
    const bool running = endpoint.state == govern::EndpointState::running ||
                         (door_.keeper != nullptr && door_.keeper->answers_as_before(endpoint));
    if (!running) return none;
    if (door_.keeper != nullptr) endpoint = door_.keeper->standing(endpoint);
    const bool ours = attachment_for(endpoint, endpoint.revision) == nullptr;
    if (ours && (door_.keeper == nullptr || door_.keeper->replicas(endpoint).ready == 0)) return none;
    serve::ReleaseAnswer by;
    by.model = {endpoint.repository, endpoint.model, endpoint.revision};
    return std::optional(by);
  }

  Result<std::string> ask(const Context& context, const std::string& endpoint, const std::string& path,
                          const std::string& body) override {
    net::Request request;
    request.method = "POST";
    request.target = fmt::format("/endpoints/{}/{}", endpoint, path);
    request.headers.set("Content-Type", "application/json");
    request.headers.set("Cache-Control", "no-store");  // What the model says now.
    request.body = body;
    Call call{.request = request,
              .context = context,
              .caller = identity::own_caller(actor),
              .type = {},
              .found = {},
              .base_url = services_.public_url,
              .served = std::make_shared<ServedNote>()};
    call.context.trace_id = services_.random.hex(16);
    call.served->retention = ServedNote::Retention::none;
    TRY(const Response answer,
        ask_endpoint({table_, services_, door_, known_, path, endpoint, EndpointDoor::As::probes}, call,
                     endpoint));
    const auto* text = std::get_if<std::string>(&answer.body);
    if (answer.status != 200 || text == nullptr)
      return fail(Reason::worker_failed, fmt::format("it answers with status {}", answer.status));
    return *text;
  }

 private:
  static constexpr std::string_view actor = "(probe)";
  const RouteTable& table_;
  Services& services_;
  const GovernDoor door_;
  KnownEndpoints known_;
};

}  // namespace

std::unique_ptr<observe::EndpointAsker> make_endpoint_asker(const RouteTable& table, Services& services,
                                                            const GovernDoor& door) {
  return std::make_unique<ProbeDoor>(table, services, door);
}

void add_govern_endpoint_routes(RouteTable& table, Services& services, const GovernDoor& door) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       CallHandler handler, uint64_t bytes_max = 0) {
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = access,
               .body_bytes_max = bytes_max,
               .handle = std::move(handler)});
  };
  add("GET", "/api/endpoints", "endpoints", Access::signed_in, govern_handler(door, list));
  add("POST", "/api/endpoints/{ns}", "endpoint_create", Access::signed_in_write, govern_handler(door, create),
      govern_body_bytes_max);
  add("GET", "/api/endpoints/{ns}/{name}", "endpoint", Access::signed_in, govern_handler(door, show));
  add("PUT", "/api/endpoints/{ns}/{name}", "endpoint_update", Access::signed_in_write,
      govern_handler(door, update), govern_body_bytes_max);
  add("POST", "/api/endpoints/{ns}/{name}/foresee", "endpoint_foresee", Access::signed_in_write,
      govern_handler(door, foresee), govern_body_bytes_max);
  add("DELETE", "/api/endpoints/{ns}/{name}", "endpoint_delete", Access::signed_in_write,
      [&services, door](const Call& call) { return remove(services, door, call); });
  add_fallback_routes(table, services);
  add_input_rule_routes(table, services);
  add_probe_routes(table, services, door);
  add_schedule_routes(table, services);
  add_guardrail_routes(table, services, [door](const Call& call, const std::string& endpoint) -> Status {
    TRY_DONE(door.registry.endpoints.find(call.caller, endpoint));
    return Done{};
  });
  add("POST", "/api/endpoints/{ns}/{name}/pause", "endpoint_pause", Access::signed_in_write,
      govern_handler(door, changed<&govern::Endpoints::pause>), govern_body_bytes_max);
  add("POST", "/api/endpoints/{ns}/{name}/resume", "endpoint_resume", Access::signed_in_write,
      govern_handler(door, changed<&govern::Endpoints::resume>), govern_body_bytes_max);
  add("POST", "/api/endpoints/{ns}/{name}/scale-to-zero", "endpoint_scale_to_zero", Access::signed_in_write,
      govern_handler(door, changed<&govern::Endpoints::scale_to_zero>), govern_body_bytes_max);
  // Shared by the copies of the handlers.
  const auto known = std::make_shared<KnownEndpoints>(services.clock);
  const EndpointAsker by_name = [&table, &services, door, known](const Call& call, const std::string& id,
                                                                 const std::string& rest) {
    return endpoint_call({table, services, door, *known, rest, id}, call, id);
  };
  const CallHandler ask = [by_name](const Call& call) {
    return by_name(call, record_in_path(call), std::string(call.capture("rest")));
  };
  add("POST", "/endpoints/{ns}/{name}", "endpoint_root", Access::signed_in, ask, model_body_bytes_max);
  add("POST", "/endpoints/{ns}/{name}/{rest*}", "endpoint_call", Access::signed_in, ask,
      model_body_bytes_max);
  add("GET", "/endpoints/{ns}/{name}", "endpoint_info", Access::signed_in, govern_handler(door, show));
  add("GET", "/endpoints/{ns}/{name}/{rest*}", "endpoint_ask", Access::signed_in, ask);
  add("GET", "/endpoints/{ns}/{name}/health", "endpoint_health", Access::signed_in,
      govern_handler(door, health));
  name_endpoints(table, door, by_name);
}

}  // namespace holdfast::api
