#pragma once

#include <string_view>

namespace holdfast::api {

// The name of the schema that the body of a route's requests has; empty: any JSON.
std::string_view body_schema_of(std::string_view route_name);
// All schemas by their names: the text of a JSON object.
std::string_view body_schemas();

}  // namespace holdfast::api
