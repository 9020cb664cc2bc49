#include "codec/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace holdfast::codec {
namespace {

namespace json = boost::json;

template <size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 9> yes = {"yes",  "Yes", "YES", "true", "True",
                                                 "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 9> no = {"no",    "No",  "NO",  "false", "False",
                                                "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> null = {"~", "null", "Null", "NULL", ""};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool digits_or_underscores(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '_'; });
}

std::string without_underscores(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '_'; });
  return out;
}

// Takes a sign off the front.
bool take_minus(std::string_view& text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  return minus;
}

std::optional<json::value> integer_in(std::string_view digits, int base, bool minus) {
  const std::string clean = without_underscores(digits);
  uint64_t magnitude = 0;
  const char* end = clean.data() + clean.size();
  const auto [stop, error] = std::from_chars(clean.data(), end, magnitude, base);
  if (error == std::errc::result_out_of_range) {
    double number = 0;
    for (char c : clean) number = number * base + (is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    return json::value(minus ? -number : number);
  }
  if (error != std::errc() || stop != end) return std::nullopt;
  constexpr uint64_t most = std::numeric_limits<int64_t>::max();
  if (!minus && magnitude > most) return json::value(magnitude);
  if (minus && magnitude > most + 1) return json::value(-static_cast<double>(magnitude));
  return json::value(static_cast<int64_t>(minus ? 0 - magnitude : magnitude));
}

}  // namespace

bool is_yaml_null(std::string_view text) { return is_one_of(text, null); }

std::optional<json::value> yaml_flag(std::string_view text) {
  if (is_one_of(text, yes)) return json::value(true);
  if (is_one_of(text, no)) return json::value(false);
  return std::nullopt;
}

std::optional<json::value> yaml_integer(std::string_view text) {
  const bool minus = take_minus(text);
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  if (text == "0") return json::value(int64_t{0});
  if (text[0] != '0') {
    if (!digits_or_underscores(text)) return std::nullopt;
    return integer_in(text, 10, minus);
  }
  if (text[1] == 'x') return integer_in(text.substr(2), 16, minus);
  if (text[1] == 'b') return integer_in(text.substr(2), 2, minus);
  return integer_in(text.substr(1), 8, minus);
}

std::optional<json::value> yaml_number(std::string_view text) {
  if (is_one_of(text, std::array<std::string_view, 3>{".nan", ".NaN", ".NAN"}))
    return json::value(std::numeric_limits<double>::quiet_NaN());
  const std::string_view whole = text;
  const bool minus = take_minus(text);
  if (is_one_of(text, std::array<std::string_view, 3>{".inf", ".Inf", ".INF"})) {
    const double infinity = std::numeric_limits<double>::infinity();
    return json::value(minus ? -infinity : infinity);
  }
  // digits.[digits][e±digits] with any sign, or .digits[e±digits] without one.
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos || !digits_or_underscores(text.substr(0, dot))) return std::nullopt;
  if (dot > 0 ? !is_digit(text[0]) : whole.size() != text.size() || text.size() < 2 || !is_digit(text[1]))
    return std::nullopt;
  size_t end = dot + 1;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '_')) ++end;
  const std::string_view exponent = text.substr(end);
  if (!exponent.empty()) {
    const bool marked = exponent.size() >= 3 && (exponent[0] == 'e' || exponent[0] == 'E') &&
                        (exponent[1] == '+' || exponent[1] == '-');
    if (!marked || !std::all_of(exponent.begin() + 2, exponent.end(), is_digit)) return std::nullopt;
  }
  const std::string clean = without_underscores(text);
  double number = 0;
  const auto [stop, error] = std::from_chars(clean.data(), clean.data() + clean.size(), number);
  if (error == std::errc::result_out_of_range)
    number = exponent.starts_with("e-") || exponent.starts_with("E-")
                 ? 0.0
                 : std::numeric_limits<double>::infinity();
  return json::value(minus ? -number : number);
}

json::value plain_yaml_value(std::string_view text) {
  if (is_yaml_null(text)) return nullptr;
  if (auto flag = yaml_flag(text)) return *flag;
  if (auto integer = yaml_integer(text)) return *integer;
  if (auto number = yaml_number(text)) return *number;
  return json::value(text);
}

}  // namespace holdfast::codec
