#pragma once

#include "api/route.h"

namespace holdfast::api {

// /api/quotas, as docs/serving.md says.
void add_quota_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
