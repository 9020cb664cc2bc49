#pragma once

#include "api/route.h"
#include "identity/secrets.h"

namespace holdfast::api {

// /api/secrets: administrators list, set and remove what the server keeps; nobody reads a value.
void add_secret_routes(RouteTable& table, identity::Secrets& secrets);

}  // namespace holdfast::api
