#pragma once

#include "api/route.h"

namespace holdfast::exchange {
class Webhooks;
}

namespace holdfast::api {

// /api/settings/webhooks (hub-protocol.md 1.12), and the log of what was delivered.
void add_webhook_routes(RouteTable& table, exchange::Webhooks& webhooks);

}  // namespace holdfast::api
