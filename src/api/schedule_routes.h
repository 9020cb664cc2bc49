#pragma once

#include "api/route.h"

namespace holdfast::api {

// /api/endpoints/{ns}/{name}/schedule, as docs/serving.md says.
void add_schedule_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
