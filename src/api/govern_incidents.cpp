// /api/registry/incidents, /whatis, /features, /clock.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/govern_views.h"
#include "api/services.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

Result<Response> list_incidents(const GovernDoor& door, const Call& call) {
  const net::Query query = call.query();
  TRY(const auto incidents, door.registry.watch.incidents(call.caller, std::string(query.get("record")),
                                                          std::string(query.get("state"))));
  json::array out;
  for (const govern::Incident& incident : incidents) {
    TRY(json::object view, incident_view(door.registry, call.caller, incident));
    out.push_back(std::move(view));
  }
  return json_answer(json::object{{"incidents", std::move(out)}});
}

Result<Response> show_incident(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const govern::Incident incident, door.registry.watch.incident(call.caller, id));
  TRY(const json::object view, incident_view(door.registry, call.caller, incident));
  return json_answer(view);
}

Result<Response> close_incident(const GovernDoor& door, const Call& call) {
  TRY(const int64_t id, number_in_path(call, "num"));
  TRY(const json::object body, body_object(call));
  TRY(const std::string reason, reason_in(body));
  TRY(const govern::Incident incident, door.registry.watch.close(call.caller, id, reason));
  TRY(const json::object view, incident_view(door.registry, call.caller, incident));
  return json_answer(view);
}

Result<Response> whatis(const GovernDoor& door, const Call& call) {
  TRY(const json::object view, whatis_view(door.registry, call.caller, call.capture("feature")));
  return json_answer(view);
}

Result<Response> features(const GovernDoor& door, const Call& call) {
  struct Feature {
    json::array records;
    std::set<std::string> models;
  };
  const std::string model(call.query().get("model"));
  std::map<std::string, Feature> all;
  TRY(const auto live, door.registry.live.look());
  for (const govern::Governed& governed : live->records) {
    TRY(const bool visible, door.registry.access.may_see(call.caller, governed.stored));
    if (!visible || (!model.empty() && governed.stored.record.model != model)) continue;
    for (const std::string& name : governed.stored.record.features) {
      Feature& feature = all[name];
      feature.records.emplace_back(governed.stored.record.id);
      for (const govern::Release& release : governed.releases)
        if (govern::is_live(release.state)) feature.models.insert(release.model + "@" + release.revision);
    }
  }
  json::array out;
  for (auto& [name, feature] : all)
    out.push_back(json::object{{"feature", name},
                               {"records", std::move(feature.records)},
                               {"models", json::array(feature.models.begin(), feature.models.end())}});
  return json_answer(json::object{{"features", std::move(out)}});
}

}  // namespace

void add_govern_incident_routes(RouteTable& table, Services& services, const GovernDoor& door) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       CallHandler handler) {
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = access,
               .body_bytes_max = std::string_view(method) == "GET" ? 0 : govern_body_bytes_max,
               .handle = std::move(handler)});
  };
  const auto get = [&](const char* pattern, const char* name, GovernAnswer answer) {
    add("GET", pattern, name, Access::signed_in, govern_handler(door, answer));
  };
  get("/api/registry/incidents", "govern_incidents", list_incidents);
  get("/api/registry/incidents/{num}", "govern_incident", show_incident);
  add("POST", "/api/registry/incidents/{num}/close", "govern_close_incident", Access::signed_in_write,
      govern_handler(door, close_incident));
  get("/api/registry/whatis/{feature*}", "govern_whatis", whatis);
  get("/api/registry/features", "govern_features", features);
  add("GET", "/api/registry/clock", "govern_clock", Access::signed_in,
      [door, &services](const Call&) -> Result<Response> {
        return json_answer(
            json::object{{"now", format_time(services.clock.wall())}, {"manual", door.clock != nullptr}});
      });
  add("POST", "/api/registry/clock", "govern_advance_clock", Access::instance_admin,
      [door, &services](const Call& call) -> Result<Response> {
        if (door.clock == nullptr)
          return fail(Reason::not_offered, "this server's clock is the machine's: serve --manual-clock");
        TRY(const json::object body, body_object(call));
        TRY(const double seconds, codec::json_number(body, "advance_seconds"));
        constexpr double step_max = 366.0 * 24 * 3600;
        if (!(seconds >= 0 && seconds <= step_max))
          return fail(Reason::bad_request, "'advance_seconds' is 0 to a year: a clock does not go back");
        door.clock->advance(std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000)));
        TRY_DONE(door.registry.watch.tick());
        return json_answer(json::object{{"now", format_time(services.clock.wall())}, {"manual", true}});
      });
}

}  // namespace holdfast::api
