#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "api/route.h"

namespace holdfast::api {

// What the table answers, as OpenAPI 3.1: every route with its captures, its error form and, of the doors to
// models, the bodies that openapi_bodies.h knows.
boost::json::object openapi_document(std::span<const ApiRoute> routes, std::string_view version);

// GET /openapi.json: of `table`, which must be full when it is asked.
void add_openapi_routes(RouteTable& table, std::string_view version);

}  // namespace holdfast::api
