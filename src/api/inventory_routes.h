#pragma once

#include "api/route.h"

namespace holdfast::govern {
struct Registry;
}

namespace holdfast::api {

// What models and data sets there are and what uses them, and which of the hub's repositories hold given
// files: what `holdfast inventory` compares a machine with.
void add_inventory_routes(RouteTable& table, Services& services, govern::Registry& registry);

}  // namespace holdfast::api
