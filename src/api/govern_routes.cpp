#include "api/govern_routes.h"

namespace holdfast::api {

void add_govern_routes(RouteTable& table, Services& services, const GovernDoor& door) {
  add_govern_record_routes(table, door);
  add_govern_release_routes(table, services, door);
  add_govern_evaluation_routes(table, door);
  add_govern_feedback_routes(table, door);
  add_govern_incident_routes(table, services, door);
  add_govern_replay_routes(table, services, door);
  add_govern_endpoint_routes(table, services, door);
  add_endpoint_management_routes(table, services, door);
}

}  // namespace holdfast::api
