#include "api/schedule_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/services.h"
#include "base/clock.h"
#include "codec/json.h"
#include "identity/permission.h"
#include "serve/guards.h"
#include "serve/warm_hours.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

Result<serve::WarmSchedules*> schedules_of(const Services& services, const Call& call) {
  if (services.guards == nullptr || services.guards->schedules == nullptr)
    return fail(Reason::not_offered, "this server keeps no schedules");
  const identity::Resource resource{
      .kind = identity::EntityKind::endpoint, .ns = call.capture("ns"), .name = call.capture("name")};
  if (!services.permission.may(call.caller, identity::Right::admin, resource))
    return fail(Reason::forbidden, "the schedule of an endpoint is its namespace's administrators'");
  return services.guards->schedules;
}

Result<Response> show(Services& services, const Call& call) {
  TRY(const serve::WarmSchedules* schedules, schedules_of(services, call));
  const std::string id = record_in_path(call);
  json::array out;
  for (const serve::WarmHours& hours : schedules->schedule_of(id))
    out.push_back(serve::warm_hours_json(hours));
  return json_answer(json::object{{"endpoint", id},
                                  {"schedule", std::move(out)},
                                  {"min_replicas_now", schedules->replicas_at(id, services.clock.wall())}});
}

Result<Response> set(Services& services, const Call& call) {
  TRY(serve::WarmSchedules * schedules, schedules_of(services, call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::array* list, codec::json_array(body, "schedule"));
  serve::WarmSchedule schedule;
  for (const json::value& one : *list) {
    if (schedule.size() > serve::warm_hours_max) break;  // Refused below.
    TRY(serve::WarmHours hours, serve::read_warm_hours(one, schedules->time_zones()));
    schedule.push_back(std::move(hours));
  }
  TRY_DONE(schedules->set(record_in_path(call), std::move(schedule)));
  return show(services, call);
}

}  // namespace

void add_schedule_routes(RouteTable& table, Services& services) {
  constexpr uint64_t body_bytes_max = 64 << 10;
  table.add("GET", "/api/endpoints/{ns}/{name}/schedule", "endpoint_schedule", Access::signed_in, 0, services,
            show);
  table.add("PUT", "/api/endpoints/{ns}/{name}/schedule", "endpoint_schedule_set", Access::signed_in_write,
            body_bytes_max, services, set);
}

}  // namespace holdfast::api
