#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/route.h"
#include "observe/metric_aliases.h"

namespace holdfast::api {

// GET /healthz (the process answers), /readyz (it can serve: database answers, disk has room, not stopping;
// with what is `degraded` all the same) and /metrics (Prometheus text, with some figures under other servers'
// names as well). Open to anyone who reaches the port: they carry no name a user chose.
void add_health_routes(RouteTable& table, Services& services, std::function<Status()> ready,
                       std::function<std::vector<std::string>()> degraded = {},
                       observe::AliasSet aliases = {});

}  // namespace holdfast::api
