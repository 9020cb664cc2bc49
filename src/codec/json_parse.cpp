// Values out of JSON text. Boost's own parser rounds some numbers wrongly (1.81 adds digits as it goes), so
// its events are read and each number's text is converted exactly.
#include <fmt/core.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>

#include "codec/json.h"

namespace holdfast::codec {
namespace {

namespace json = boost::json;

// Builds the value. Its functions are named and called by boost::json::basic_parser.
struct Builder {
  static constexpr size_t max_object_size = json::object::max_size();
  static constexpr size_t max_array_size = json::array::max_size();
  static constexpr size_t max_key_size = json::string::max_size();
  static constexpr size_t max_string_size = json::string::max_size();

  json::value_stack stack;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(size_t pairs, json::error_code&) {
    stack.push_object(pairs);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(size_t items, json::error_code&) {
    stack.push_array(items);
    return true;
  }
  bool on_key_part(json::string_view text, size_t, json::error_code&) {
    stack.push_chars(text);
    return true;
  }
  bool on_key(json::string_view text, size_t, json::error_code&) {
    stack.push_key(text);
    return true;
  }
  bool on_string_part(json::string_view text, size_t, json::error_code&) {
    stack.push_chars(text);
    return true;
  }
  bool on_string(json::string_view text, size_t, json::error_code&) {
    stack.push_string(text);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(int64_t number, json::string_view, json::error_code&) {
    stack.push_int64(number);
    return true;
  }
  bool on_uint64(uint64_t number, json::string_view, json::error_code&) {
    stack.push_uint64(number);
    return true;
  }
  // The text is the whole number, because the whole document is given at once.
  bool on_double(double rounded, json::string_view text, json::error_code& error) {
    double number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec == std::errc::result_out_of_range && std::abs(rounded) > 1) {
      error = json::error::exponent_overflow;
      return false;
    }
    stack.push_double(number);
    return true;
  }
  bool on_bool(bool flag, json::error_code&) {
    stack.push_bool(flag);
    return true;
  }
  bool on_null(json::error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

}  // namespace

Result<json::value> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytes_max)
    return fail(Reason::body_too_large, fmt::format("the JSON is longer than {} bytes", limits.bytes_max));
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::basic_parser<Builder> parser(options);
  parser.handler().stack.reset();
  json::error_code error;
  const size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error) return fail(Reason::bad_request, fmt::format("not JSON at byte {}: {}", read, error.message()));
  if (read < text.size())
    return fail(Reason::bad_request, fmt::format("not JSON at byte {}: text after the value", read));
  return parser.handler().stack.release();
}

}  // namespace holdfast::codec
