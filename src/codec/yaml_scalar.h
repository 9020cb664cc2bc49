#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string_view>

namespace holdfast::codec {

// The value a plain YAML 1.1 scalar has for PyYAML's safe_load, its types told apart by the same patterns
// (yaml/resolver.py): null, flag, integer, number or else text. Integers beyond 64 bits become numbers.
boost::json::value plain_yaml_value(std::string_view text);

// The scalar as the type that a tag asks for: nullopt when it has no such form.
std::optional<boost::json::value> yaml_flag(std::string_view text);
std::optional<boost::json::value> yaml_integer(std::string_view text);
std::optional<boost::json::value> yaml_number(std::string_view text);
bool is_yaml_null(std::string_view text);

}  // namespace holdfast::codec
