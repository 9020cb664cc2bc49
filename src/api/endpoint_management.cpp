// What huggingface_hub manages Inference Endpoints by (reference: hub-protocol, 1.16), over govern's
// endpoints.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <thread>

#include "api/endpoint_call.h"
#include "api/endpoint_wish.h"
#include "api/error_answer.h"
#include "api/govern_call.h"
#include "codec/json.h"
#include "govern/endpoint_keeper.h"
#include "govern/registry.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using govern::Endpoint;
using govern::EndpointState;
using net::Response;

constexpr std::string_view root = "/api/inference-endpoints/v2";

json::value part_of(const json::object& spec, std::string_view key, json::value fallback) {
  const json::value* found = spec.if_contains(key);
  return found == nullptr || found->is_null() ? std::move(fallback) : *found;
}

std::string no_accelerator(std::string_view asked) {
  return fmt::format(
      "there is no {} here that models run on: it runs on the processor, with the same answers", asked);
}

// What its maker said of "model", "compute", "provider" …, with what is so by now put over it.
Result<json::object> view(const Call& call, govern::EndpointKeeper* keeper, const Endpoint& endpoint) {
  json::object spec;
  const govern::EndpointSettings settings = endpoint.settings.value_or(govern::EndpointSettings{});
  if (!settings.spec.empty()) {
    TRY(spec, codec::parse_json_object(settings.spec));
  }
  json::object model = part_of(spec, "model", json::object()).as_object();
  const auto keep = [](json::object& into, std::string_view key, json::value fallback) {
    if (!into.contains(key)) into[key] = std::move(fallback);
  };
  keep(model, "framework", "pytorch");
  keep(model, "task", nullptr);
  keep(model, "image", json::object{{"huggingface", json::object()}});
  model["repository"] = endpoint.model;
  model["revision"] = endpoint.revision;
  json::object compute = part_of(spec, "compute", json::object()).as_object();
  // Whoever asked for another is told.
  const json::value* asked = compute.if_contains("accelerator");
  const bool degraded = asked != nullptr && asked->is_string() && asked->get_string() != "cpu";
  const std::string accelerator = degraded ? std::string(asked->get_string()) : "";
  compute["accelerator"] = "cpu";
  keep(compute, "instanceSize", "x1");
  keep(compute, "instanceType", "local");
  json::object scaling = part_of(compute, "scaling", json::object()).as_object();
  scaling["minReplica"] = settings.replicas_min;
  scaling["maxReplica"] = settings.replicas_max;
  scaling["scaleToZeroTimeout"] =
      settings.idle_minutes == 0 ? json::value(nullptr) : json::value(settings.idle_minutes);
  compute["scaling"] = std::move(scaling);
  const bool answers = endpoint.state == EndpointState::running ||
                       endpoint.state == EndpointState::scaled_to_zero ||
                       (keeper != nullptr && keeper->answers_as_before(endpoint));
  const bool running = endpoint.state == EndpointState::running;
  // An engine elsewhere, or releases of a record, are one as long as they answer.
  const auto replicas = keeper == nullptr ? serve::Models::ReplicaCount{} : keeper->replicas(endpoint);
  const bool ours = endpoint.record.empty() && endpoint.attachments.empty();
  const int64_t ready = ours ? static_cast<int64_t>(replicas.ready) : running ? 1 : 0;
  const int64_t wanted =
      answers || endpoint.state == EndpointState::paused
          ? std::max<int64_t>(settings.replicas_min, running ? static_cast<int64_t>(replicas.wanted) : 0)
          : int64_t{1};
  const std::string creator = endpoint.creator;
  json::object status{
      {"state", govern::state_name(endpoint.state)},
      {"message", degraded && endpoint.why.empty() ? no_accelerator(accelerator) : endpoint.why},
      {"createdAt", format_time(endpoint.created)},
      {"createdBy", json::object{{"id", creator}, {"name", creator}}},
      {"updatedAt", format_time(endpoint.updated)},
      {"updatedBy", json::object{{"id", creator}, {"name", creator}}},
      {"readyReplica", ready},
      {"targetReplica", wanted}};
  if (answers) status["url"] = fmt::format("{}/endpoints/{}", call.base_url, endpoint.id);
  json::object out{
      {"name", endpoint.id.substr(endpoint.id.find('/') + 1)},
      {"accountId", nullptr},
      {"type", part_of(spec, "type", "authenticated")},
      {"healthRoute", "/health"},
      {"provider", part_of(spec, "provider", json::object{{"vendor", "holdfast"}, {"region", "local"}})},
      {"compute", std::move(compute)},
      {"model", std::move(model)},
      {"status", std::move(status)},
      {"tags", part_of(spec, "tags", json::array())}};
  return out;
}

Result<Response> told(const Call& call, const GovernDoor& door, Result<Endpoint> endpoint) {
  if (!endpoint.ok()) return endpoint.error();
  TRY(const json::object out, view(call, door.keeper, endpoint.value()));
  return json_answer(out);
}

// Images are kinds of servers, and all that we speak are the same one; a container of one's own is none of
// them.
Status check_offered(const json::object& body, const json::object& model) {
  TRY(const auto type, codec::json_text_if(body, "type"));
  // The clients' older word for "authenticated" is their default.
  if (type && *type != "authenticated" && *type != "protected" && *type != "private")
    return fail(Reason::not_offered,
                fmt::format("'type' {} is not offered here: endpoints are for who has a token", *type));
  TRY(const json::object* image, codec::json_object_if(model, "image"));
  if (image != nullptr && image->contains("custom"))
    return fail(Reason::not_offered, "'model.image': containers are not run here");
  for (const char* key : {"secrets", "command", "args", "env"})
    if (const json::value* value = model.if_contains(key);
        value != nullptr && !value->is_null() && !(value->is_object() && value->get_object().empty()) &&
        !(value->is_array() && value->get_array().empty()))
      return fail(Reason::not_offered, fmt::format("'model.{}': containers are not run here", key));
  return Done{};
}

void lay_over(json::object& into, const json::object& from) {
  for (const auto& [key, value] : from) {
    json::value* old = into.if_contains(key);
    if (old != nullptr && old->is_object() && value.is_object())
      lay_over(old->get_object(), value.get_object());
    else if (!value.is_null())
      into[key] = value;
  }
}

// Scaling of the body over what it was; all else of the body is kept to be shown again.
Result<govern::EndpointSettings> settings_of(const json::object& body, govern::EndpointSettings settings) {
  TRY(const json::object* compute, codec::json_object_if(body, "compute"));
  const json::object none;
  const json::object* scaling = &none;
  if (compute != nullptr) {
    TRY(const json::object* given, codec::json_object_if(*compute, "scaling"));
    if (given != nullptr) scaling = given;
  }
  TRY(const auto least, codec::json_integer_if(*scaling, "minReplica"));
  TRY(const auto most, codec::json_integer_if(*scaling, "maxReplica"));
  TRY(const auto idle, codec::json_integer_if(*scaling, "scaleToZeroTimeout"));
  settings.replicas_min = least.value_or(settings.replicas_min);
  settings.replicas_max = most.value_or(settings.replicas_max);
  settings.idle_minutes = idle.value_or(settings.idle_minutes);
  json::object spec;
  if (!settings.spec.empty()) {
    TRY(spec, codec::parse_json_object(settings.spec));
  }
  json::object kept;
  for (const char* key : {"compute", "model", "provider", "type", "tags"})
    if (const json::value* value = body.if_contains(key)) kept[key] = *value;
  lay_over(spec, kept);
  settings.spec = codec::to_text(spec);
  return settings;
}

Result<Response> create(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  TRY(const json::object* model, codec::json_object(body, "model"));
  TRY_DONE(check_offered(body, *model));
  govern::NewEndpoint wish{.ns = std::string(call.capture("ns"))};
  TRY(wish.name, codec::json_text(body, "name"));
  TRY(wish.model, codec::json_text(*model, "repository"));
  TRY(const auto revision, codec::json_text_if(*model, "revision"));
  wish.revision = revision.value_or("");
  TRY(wish.settings, settings_of(body, {}));
  return told(call, door, door.registry.endpoints.create(call.caller, wish));
}

Result<Response> update(const GovernDoor& door, const Call& call) {
  TRY(const json::object body, body_object(call));
  TRY(const json::object* given, codec::json_object_if(body, "model"));
  const json::object none;
  const json::object& model = given == nullptr ? none : *given;
  TRY_DONE(check_offered(body, model));
  const std::string id = record_in_path(call);
  TRY(const Endpoint before, door.registry.endpoints.find(call.caller, id));
  govern::EndpointChange change;
  TRY(const auto repository, codec::json_text_if(model, "repository"));
  TRY(const auto revision, codec::json_text_if(model, "revision"));
  if (repository) change.model = std::string(*repository);
  if (revision) change.revision = std::string(*revision);
  TRY(change.settings, settings_of(body, before.settings.value_or(govern::EndpointSettings{})));
  TRY_DONE(check_memory(door, call, change));
  return told(call, door, door.registry.endpoints.update(call.caller, id, change));
}

Result<Response> list(const GovernDoor& door, const Call& call) {
  TRY(const auto endpoints, door.registry.endpoints.list(call.caller));
  json::array items;
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.id.substr(0, endpoint.id.find('/')) != call.capture("ns")) continue;
    TRY(json::object one, view(call, door.keeper, endpoint));
    items.push_back(std::move(one));
  }
  return json_answer(json::object{{"items", std::move(items)}});
}

Result<Response> show(const GovernDoor& door, const Call& call) {
  return told(call, door, door.registry.endpoints.find(call.caller, record_in_path(call)));
}
Result<Response> remove(Services& services, const GovernDoor& door, const Call& call) {
  TRY_DONE(remove_endpoint(services, door, call.caller, record_in_path(call)));
  return json_answer(json::object());
}
Result<Response> pause(const GovernDoor& door, const Call& call) {
  return told(call, door, door.registry.endpoints.pause(call.caller, record_in_path(call)));
}
Result<Response> resume(const GovernDoor& door, const Call& call) {
  return told(call, door, door.registry.endpoints.resume(call.caller, record_in_path(call)));
}
Result<Response> scale_to_zero(const GovernDoor& door, const Call& call) {
  return told(call, door, door.registry.endpoints.scale_to_zero(call.caller, record_in_path(call)));
}

// One kind of hardware: this machine.
Result<Response> hardware(const GovernDoor&, const Call&) {
  const int64_t cores = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
  json::array computes, regions, vendors;
  computes.push_back(json::object{{"id", "holdfast-local"},
                                  {"accelerator", "cpu"},
                                  {"instanceType", "local"},
                                  {"instanceSize", "x1"},
                                  {"architecture", "this machine"},
                                  {"numAccelerators", 0},
                                  {"numCpus", cores},
                                  {"memoryGb", 0},
                                  {"gpuMemoryGb", nullptr},
                                  {"pricePerHour", 0},
                                  {"status", "available"},
                                  {"quota", json::object{{"maxAccelerators", 0}, {"usedAccelerators", 0}}}});
  regions.push_back(json::object{{"name", "local"},
                                 {"label", "this machine"},
                                 {"status", "available"},
                                 {"computes", std::move(computes)}});
  vendors.push_back(
      json::object{{"name", "holdfast"}, {"status", "available"}, {"regions", std::move(regions)}});
  return json_answer(json::object{{"vendors", std::move(vendors)}});
}

}  // namespace

Result<std::optional<govern::EndpointSettings>> read_settings(const json::object& body) {
  TRY(const auto least, codec::json_integer_if(body, "min_replicas"));
  TRY(const auto most, codec::json_integer_if(body, "max_replicas"));
  TRY(const auto idle, codec::json_integer_if(body, "scale_to_zero_minutes"));
  TRY(const auto delay, codec::json_integer_if(body, "queue_delay_ms"));
  if (!least && !most && !idle && !delay) return std::optional<govern::EndpointSettings>();
  return std::optional(
      govern::EndpointSettings{.replicas_min = least.value_or(0),
                               .replicas_max = most.value_or(std::max<int64_t>(least.value_or(1), 1)),
                               .idle_minutes = idle.value_or(0),
                               .queue_delay_ms = delay.value_or(-1)});
}

Result<govern::EndpointChange> read_change(const json::object& body, const Endpoint& before) {
  static constexpr std::string_view known[] = {
      "model", "revision", "min_replicas", "max_replicas", "scale_to_zero_minutes", "queue_delay_ms"};
  if (body.empty()) return fail(Reason::bad_request, "there is nothing to change");
  for (const auto& [key, value] : body)
    if (std::find(std::begin(known), std::end(known), std::string_view(key)) == std::end(known))
      return fail(Reason::bad_request,
                  fmt::format("'{}' is nothing that is changed of an endpoint", std::string_view(key)));
  govern::EndpointChange change;
  TRY(const auto model, codec::json_text_if(body, "model"));
  TRY(const auto revision, codec::json_text_if(body, "revision"));
  if (model) change.model = std::string(*model);
  if (revision) change.revision = std::string(*revision);
  TRY(const auto least, codec::json_integer_if(body, "min_replicas"));
  TRY(const auto most, codec::json_integer_if(body, "max_replicas"));
  TRY(const auto idle, codec::json_integer_if(body, "scale_to_zero_minutes"));
  TRY(const auto delay, codec::json_integer_if(body, "queue_delay_ms"));
  // One that is not managed is from the first setting on.
  if (!before.settings && !least && !most && !idle && !delay) return change;
  govern::EndpointSettings settings = before.settings.value_or(govern::EndpointSettings{});
  settings.replicas_min = least.value_or(settings.replicas_min);
  settings.replicas_max = most.value_or(std::max(settings.replicas_max, settings.replicas_min));
  settings.idle_minutes = idle.value_or(settings.idle_minutes);
  settings.queue_delay_ms = delay.value_or(settings.queue_delay_ms);
  change.settings = std::move(settings);
  return change;
}

json::value settings_view(const std::optional<govern::EndpointSettings>& settings) {
  if (!settings) return nullptr;
  return json::object{{"min_replicas", settings->replicas_min},
                      {"max_replicas", settings->replicas_max},
                      {"scale_to_zero_minutes", settings->idle_minutes},
                      {"queue_delay_ms", settings->queue_delay_ms}};
}

void add_endpoint_management_routes(RouteTable& table, Services& services, const GovernDoor& door) {
  struct Row {
    const char *method, *rest, *name;
    Access access;
    GovernAnswer answer;
  };
  static constexpr Row rows[] = {
      {"GET", "/endpoint/{ns}", "managed_endpoints", Access::signed_in, list},
      {"POST", "/endpoint/{ns}", "managed_endpoint_create", Access::signed_in_write, create},
      {"GET", "/endpoint/{ns}/{name}", "managed_endpoint", Access::signed_in, show},
      {"PUT", "/endpoint/{ns}/{name}", "managed_endpoint_update", Access::signed_in_write, update},
      {"POST", "/endpoint/{ns}/{name}/pause", "managed_endpoint_pause", Access::signed_in_write, pause},
      {"POST", "/endpoint/{ns}/{name}/resume", "managed_endpoint_resume", Access::signed_in_write, resume},
      {"POST", "/endpoint/{ns}/{name}/scale-to-zero", "managed_endpoint_scale_to_zero",
       Access::signed_in_write, scale_to_zero},
      {"GET", "/provider/{ns}", "managed_endpoint_hardware", Access::signed_in, hardware}};
  for (const Row& row : rows)
    table.add({.method = row.method,
               .pattern = fmt::format("{}{}", root, row.rest),
               .name = row.name,
               .access = row.access,
               .body_bytes_max = std::string_view(row.method) == "GET" ? 0 : govern_body_bytes_max,
               .handle = govern_handler(door, row.answer)});
  table.add({.method = "DELETE",
             .pattern = fmt::format("{}/endpoint/{{ns}}/{{name}}", root),
             .name = "managed_endpoint_delete",
             .access = Access::signed_in_write,
             .body_bytes_max = govern_body_bytes_max,
             .handle = [&services, door](const Call& call) { return remove(services, door, call); }});
}

}  // namespace holdfast::api
