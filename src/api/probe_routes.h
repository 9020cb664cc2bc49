#pragma once

#include "api/govern_routes.h"
#include "api/route.h"

namespace holdfast::api {

// /api/endpoints/{ns}/{name}/probes, as docs/serving.md says.
void add_probe_routes(RouteTable& table, Services& services, const GovernDoor& door);

}  // namespace holdfast::api
