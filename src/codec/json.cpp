#include "codec/json.h"

#include <fmt/core.h>

#include <boost/json/value.hpp>
#include <cmath>

namespace holdfast::codec {
namespace {

namespace json = boost::json;

Error wrong(std::string_view key, std::string_view wanted) {
  return fail(Reason::bad_request, fmt::format("\"{}\" must be {}", key, wanted));
}

// Null when missing or null.
const json::value* present(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<int64_t> integer_of(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_double()) return std::nullopt;
  const double number = value.get_double();
  if (number != std::floor(number) || std::abs(number) > 9007199254740992.0) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::optional<double> number_of(const json::value& value) {
  if (value.is_double()) return value.get_double();
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  return std::nullopt;
}

// The value of a _if getter, where a missing one is an error.
template <class T>
Result<T> required(Result<std::optional<T>> found, std::string_view key) {
  TRY(std::optional<T> value, std::move(found));
  if (!value) return fail(Reason::bad_request, fmt::format("\"{}\" is missing", key));
  return std::move(*value);
}

template <class T>
Result<const T*> required(Result<const T*> found, std::string_view key) {
  TRY(const T* value, std::move(found));
  if (value == nullptr) return fail(Reason::bad_request, fmt::format("\"{}\" is missing", key));
  return value;
}

}  // namespace

Result<json::object> parse_json_object(std::string_view text, JsonLimits limits) {
  TRY(json::value value, parse_json(text, limits));
  if (!value.is_object()) return fail(Reason::bad_request, "the JSON must be an object");
  return std::move(value.get_object());
}

Result<std::optional<std::string_view>> json_text_if(const json::object& object, std::string_view key) {
  const json::value* value = present(object, key);
  if (value == nullptr) return std::optional<std::string_view>();
  if (!value->is_string()) return wrong(key, "a string");
  return std::optional<std::string_view>(value->get_string());
}

Result<std::optional<int64_t>> json_integer_if(const json::object& object, std::string_view key) {
  const json::value* value = present(object, key);
  if (value == nullptr) return std::optional<int64_t>();
  const std::optional<int64_t> number = integer_of(*value);
  if (!number) return wrong(key, "an integer");
  return number;
}

Result<std::optional<double>> json_number_if(const json::object& object, std::string_view key) {
  const json::value* value = present(object, key);
  if (value == nullptr) return std::optional<double>();
  const std::optional<double> number = number_of(*value);
  if (!number) return wrong(key, "a number");
  return number;
}

Result<std::optional<bool>> json_flag_if(const json::object& object, std::string_view key) {
  const json::value* value = present(object, key);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_bool()) return wrong(key, "true or false");
  return std::optional<bool>(value->get_bool());
}

Result<const json::object*> json_object_if(const json::object& object, std::string_view key) {
  const json::value* value = present(object, key);
  if (value == nullptr) return static_cast<const json::object*>(nullptr);
  if (!value->is_object()) return wrong(key, "an object");
  return &value->get_object();
}

Result<const json::array*> json_array_if(const json::object& object, std::string_view key) {
  const json::value* value = present(object, key);
  if (value == nullptr) return static_cast<const json::array*>(nullptr);
  if (!value->is_array()) return wrong(key, "an array");
  return &value->get_array();
}

Result<std::string_view> json_text(const json::object& object, std::string_view key) {
  return required(json_text_if(object, key), key);
}
Result<int64_t> json_integer(const json::object& object, std::string_view key) {
  return required(json_integer_if(object, key), key);
}
Result<double> json_number(const json::object& object, std::string_view key) {
  return required(json_number_if(object, key), key);
}
Result<bool> json_flag(const json::object& object, std::string_view key) {
  return required(json_flag_if(object, key), key);
}
Result<const json::object*> json_object(const json::object& object, std::string_view key) {
  return required(json_object_if(object, key), key);
}
Result<const json::array*> json_array(const json::object& object, std::string_view key) {
  return required(json_array_if(object, key), key);
}

}  // namespace holdfast::codec
