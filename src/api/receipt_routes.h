#pragma once

#include "api/route.h"

namespace holdfast::api {

// GET /api/receipts/key: what receipts are checked with.
void add_receipt_routes(RouteTable& table, Services& services);

}  // namespace holdfast::api
