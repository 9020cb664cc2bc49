#pragma once

#include "api/route.h"

namespace holdfast::exchange {
class Mirror;
class Upstreams;
}  // namespace holdfast::exchange

namespace holdfast::api {

// /api/upstreams and /api/mirror: which hubs this one stands in front of, what is on its way from them, what
// is quarantined; where a repository's files come from.
void add_mirror_routes(RouteTable& table, Services& services, exchange::Upstreams& upstreams,
                       exchange::Mirror& mirror);

}  // namespace holdfast::api
