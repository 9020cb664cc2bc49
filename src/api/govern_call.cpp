#include "api/govern_call.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "codec/json.h"

namespace holdfast::api {

CallHandler govern_handler(const GovernDoor& door, GovernAnswer answer) {
  return [door, answer](const Call& call) { return answer(door, call); };
}

std::string record_in_path(const Call& call) {
  return std::string(call.capture("ns")) + "/" + std::string(call.capture("name"));
}

Result<int64_t> number_in_path(const Call& call, std::string_view name) {
  const std::string_view text = call.capture(name);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    return fail(Code::not_found, fmt::format("'{}' is no number", text.substr(0, 40)));
  return number;
}

Result<boost::json::object> body_object(const Call& call) {
  if (call.request.body.empty()) return boost::json::object();
  return codec::parse_json_object(call.request.body, {.bytes_max = evidence_body_bytes_max});
}

Result<std::string> reason_in(const boost::json::object& body) {
  TRY(const auto reason, codec::json_text_if(body, "reason"));
  return std::string(reason.value_or(""));
}

}  // namespace holdfast::api
