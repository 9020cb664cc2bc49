#include "model/config_reader.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {

void ConfigReader::refuse(Error error) {
  if (status_.ok()) status_ = std::move(error);
}

const boost::json::value* ConfigReader::find(const Names& names, std::string_view& name) const {
  for (std::string_view one : names) {
    const boost::json::value* value = json_.if_contains(one);
    if (value == nullptr || value->is_null()) continue;
    name = one;
    return value;
  }
  return nullptr;
}

bool ConfigReader::has(std::string_view name) const {
  std::string_view found;
  return find({name}, found) != nullptr;
}

size_t ConfigReader::size_or_zero(const Names& names, size_t fallback, size_t most) {
  std::string_view name;
  if (find(names, name) == nullptr) return fallback;
  const auto number = codec::json_integer(json_, name);
  if (!number.ok()) {
    refuse(number.error());
    return 1;
  }
  if (number.value() > static_cast<int64_t>(most)) {
    refuse(fail(Reason::bad_request,
                fmt::format("config.json: {} is {}, at most {} is possible", name, number.value(), most)));
    return 1;
  }
  return number.value() < 0 ? 0 : static_cast<size_t>(number.value());
}

size_t ConfigReader::size(const Names& names, size_t fallback, size_t most) {
  std::string_view name;
  if (find(names, name) == nullptr) return fallback;
  const size_t out = size_or_zero(names, fallback, most);
  if (out > 0) return out;
  refuse(fail(Reason::bad_request, fmt::format("config.json: {} must be 1 to {}", name, most)));
  return 1;
}

float ConfigReader::number(const Names& names, double fallback) {
  std::string_view name;
  if (find(names, name) == nullptr) return static_cast<float>(fallback);
  const auto number = codec::json_number(json_, name);
  if (number.ok()) return static_cast<float>(number.value());
  refuse(number.error());
  return static_cast<float>(fallback);
}

bool ConfigReader::flag(const Names& names, bool fallback) {
  std::string_view name;
  if (find(names, name) == nullptr) return fallback;
  const auto flag = codec::json_flag(json_, name);
  if (flag.ok()) return flag.value();
  refuse(flag.error());
  return fallback;
}

std::string ConfigReader::text(const Names& names, std::string_view fallback) {
  std::string_view name;
  if (find(names, name) == nullptr) return std::string(fallback);
  const auto text = codec::json_text(json_, name);
  if (text.ok()) return std::string(text.value());
  refuse(text.error());
  return std::string(fallback);
}

const boost::json::object* ConfigReader::object(std::string_view name) {
  const auto found = codec::json_object_if(json_, name);
  if (found.ok()) return found.value();
  refuse(found.error());
  return nullptr;
}

const boost::json::array* ConfigReader::array(std::string_view name) {
  const auto found = codec::json_array_if(json_, name);
  if (found.ok()) return found.value();
  refuse(found.error());
  return nullptr;
}

}  // namespace holdfast::model
