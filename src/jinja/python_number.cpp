#include "jinja/python_number.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "jinja/characters.h"
#include "jinja/python_text.h"
#include "jinja/runtime.h"

namespace holdfast::jinja {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

// Drops underscores that stand between digits; nullopt where one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out.push_back(text[i]);
      continue;
    }
    if (i == 0 || i + 1 == text.size() || digit_of(text[i - 1]) == 99 || digit_of(text[i + 1]) == 99)
      return std::nullopt;
  }
  return out;
}

int prefix_base(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return 0;
  const char mark = static_cast<char>(text[1] | 0x20);
  return mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
}

}  // namespace

std::optional<Integer> parse_integer(std::string_view text, int base) {
  text = stripped(text, Ends::both);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (base != 0 && (base < 2 || base > 36)) return std::nullopt;
  if (const int given = prefix_base(text); given != 0 && (base == 0 || base == given)) {
    base = given;
    text.remove_prefix(2);
    if (text.starts_with('_')) text.remove_prefix(1);
  }
  if (base == 0) base = 10;
  const auto digits = without_underscores(text);
  if (!digits || digits->empty()) return std::nullopt;
  Integer number = 0;
  for (const char c : *digits) {
    if (digit_of(c) >= base || number > Integer{1} << 110) return std::nullopt;
    number = number * base + digit_of(c);
  }
  return negative ? -number : number;
}

Result<double> to_real(const Value& value) {
  if (value.is_number()) return value.number();
  if (!value.is(Kind::text))
    return type_error("float() argument must be a string or a real number, not '" + type_name(value) + "'");
  const auto clean = without_underscores(stripped(value.string(), Ends::both));
  const std::string text = clean.value_or("");
  const bool plain = text.find_first_of("xXpP(") == std::string::npos && !text.empty();
  char* end = nullptr;
  const double number = plain ? std::strtod(text.c_str(), &end) : 0;
  if (!plain || end != text.c_str() + text.size())
    return type_error("could not convert string to float: " + quoted(value.string()));
  return number;
}

Result<Value> round_half_even(const Value& value, int digits) {
  if (value.is_whole()) {
    if (digits >= 0) return Value::integer(value.whole());
    Integer unit = 1;
    for (int i = 0; i < -digits && unit < Integer{1} << 100; ++i) unit *= 10;
    Integer rest = value.whole() % unit;
    if (rest < 0) rest += unit;
    Integer down = value.whole() - rest;
    const bool odd = (down / unit) % 2 != 0;
    if (rest * 2 > unit || (rest * 2 == unit && odd)) down += unit;
    return Value::integer(down);
  }
  const double number = value.number();
  if (!std::isfinite(number)) return value;
  if (digits < 0) {
    const double unit = std::pow(10.0, -digits);
    return Value::real(std::nearbyint(number / unit) * unit);
  }
  // The correctly rounded decimal, which is how CPython rounds.
  char text[700];
  std::snprintf(text, sizeof(text), "%.*f", digits, number);
  return Value::real(std::strtod(text, nullptr));
}

}  // namespace holdfast::jinja
