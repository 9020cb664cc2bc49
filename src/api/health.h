#pragma once

#include <functional>

#include "api/route.h"

namespace holdfast::api {

// GET /healthz (the process answers), /readyz (it can serve: database answers, disk has room, not stopping)
// and /metrics (Prometheus text). Open to anyone who reaches the port: they carry no name a user chose.
void add_health_routes(RouteTable& table, Services& services, std::function<Status()> ready);

}  // namespace holdfast::api
