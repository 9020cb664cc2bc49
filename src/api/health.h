#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/route.h"

namespace holdfast::api {

// GET /healthz (the process answers), /readyz (it can serve: database answers, disk has room, not stopping;
// with what is `degraded` all the same) and /metrics (Prometheus text). Open to anyone who reaches the port:
// they carry no name a user chose.
void add_health_routes(RouteTable& table, Services& services, std::function<Status()> ready,
                       std::function<std::vector<std::string>()> degraded = {});

}  // namespace holdfast::api
