#pragma once

#include "api/route.h"

namespace holdfast::api {

// What pages show of the supply chain beside kinship and mirror: all that is held (/api/held), the audit log
// by what it tells of (/api/audit), and what changed of a card between two revisions.
void add_supply_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
