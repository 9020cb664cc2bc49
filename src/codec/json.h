#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::codec {

struct JsonLimits {
  size_t depth_max = 32;
  size_t bytes_max = 16 << 20;
};

// One JSON text (RFC 8259): white space around it is fine, anything else after it, comments, invalid UTF-8,
// and a lone half of a surrogate pair, and numbers beyond a double are bad_request, with the byte where it
// went wrong. Longer than the limit is too_large. Of equal keys the last wins. Callers include
// <boost/json/value.hpp> themselves.
Result<boost::json::value> parse_json(std::string_view text, JsonLimits limits = {});

// The value of `key`. Missing, null or of another type is bad_request with a message that names the key.
// Views and pointers live as long as the object.
Result<std::string_view> json_text(const boost::json::object& object, std::string_view key);
Result<int64_t> json_integer(const boost::json::object& object, std::string_view key);  // 3.0 counts as 3.
Result<double> json_number(const boost::json::object& object, std::string_view key);
Result<bool> json_flag(const boost::json::object& object, std::string_view key);
Result<const boost::json::object*> json_object(const boost::json::object& object, std::string_view key);
Result<const boost::json::array*> json_array(const boost::json::object& object, std::string_view key);

// The same where the key may be missing or null, which gives nullopt (a null pointer).
Result<std::optional<std::string_view>> json_text_if(const boost::json::object& object, std::string_view key);
Result<std::optional<int64_t>> json_integer_if(const boost::json::object& object, std::string_view key);
Result<std::optional<double>> json_number_if(const boost::json::object& object, std::string_view key);
Result<std::optional<bool>> json_flag_if(const boost::json::object& object, std::string_view key);
Result<const boost::json::object*> json_object_if(const boost::json::object& object, std::string_view key);
Result<const boost::json::array*> json_array_if(const boost::json::object& object, std::string_view key);

// The whole text must be an object: the usual request body.
Result<boost::json::object> parse_json_object(std::string_view text, JsonLimits limits = {});

// The same value gives the same text on every machine: keys in their order, no spaces, numbers in the
// shortest form that reads back equal (a double keeps ".0" or an exponent), not-a-number and infinities as
// null, invalid UTF-8 as U+FFFD.
std::string to_text(const boost::json::value& value);
// The same with two spaces of indentation and a newline at the end.
std::string to_pretty_text(const boost::json::value& value);

}  // namespace holdfast::codec
