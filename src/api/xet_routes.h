#pragma once

#include "api/route.h"

namespace holdfast {
class Secret;
}

namespace holdfast::api {

// The door of hf_xet (hub-protocol.md 4): tokens at /api/{T}/{id}/xet-{read,write}-token/{rev}, the CAS below
// /cas. Below /cas everything else is exactly 404, since clients take other statuses for final.
void add_xet_routes(RouteTable& table, Services& services, const Secret& instance_key);

}  // namespace holdfast::api
