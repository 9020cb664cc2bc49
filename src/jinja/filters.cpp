// Filters of single values, and the one place that knows all tables.
#include "jinja/filters.h"

#include <charconv>
#include <cmath>

#include "jinja/access.h"
#include "jinja/bound_arguments.h"
#include "jinja/characters.h"
#include "jinja/format.h"
#include "jinja/iterate.h"
#include "jinja/markup.h"
#include "jinja/operators.h"
#include "jinja/pretty.h"
#include "jinja/python_number.h"
#include "jinja/python_text.h"
#include "jinja/to_json.h"

namespace holdfast::jinja {
namespace {

using Bound = BoundArguments;
constexpr Integer indent_max = 1000;

Result<Value> absolute(Runtime&, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("abs", std::move(arguments), {}, 0));
  if (value.is(Kind::real)) return Value::real(std::fabs(value.number()));
  if (value.is_whole()) return Value::integer(value.whole() < 0 ? -value.whole() : value.whole());
  if (value.is(Kind::undefined)) return undefined_error(value);
  return type_error("bad operand type for abs(): '" + type_name(value) + "'");
}

Result<Value> attribute(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("attr", std::move(arguments), {"name"}, 1));
  TRY(const auto name, given.text(0));
  if (!name) return type_error("attribute name must be string, not 'NoneType'");
  if (value.is(Kind::undefined)) return undefined_error(value);
  const bool own = own_attribute(value, *name).has_value();
  if (!own && value.is(Kind::dict)) return undefined("'dict object' has no attribute " + quoted(*name));
  return get_attribute(runtime, value, *name);
}

Result<Value> otherwise(Runtime&, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("default", std::move(arguments), {"default_value", "boolean"}, 0));
  if (value.is(Kind::undefined) || (given.flag(1) && !truthy(value)))
    return given.value_or(0, Value::text(""));
  return value;
}

Result<Value> file_size(Runtime&, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("filesizeformat", std::move(arguments), {"binary"}, 0));
  TRY(const double bytes, to_real(value));
  const bool binary = given.flag(0);
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return Value::text("1 Byte");
  if (bytes < base) return Value::text(integer_text(static_cast<Integer>(bytes)) + " Bytes");
  double unit = base * base;
  size_t power = 0;
  for (; !(bytes < unit) && power < 7; ++power) unit *= base;
  char number[64];
  std::snprintf(number, sizeof(number), "%.1f ", base * bytes / unit);
  return Value::text(number + std::string(1, binary || power > 0 ? "KMGTPEZY"[power] : 'k') +
                     (binary ? "iB" : "B"));
}

Result<Value> to_float_filter(Runtime&, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("float", std::move(arguments), {"default"}, 0));
  if (value.is(Kind::undefined)) return undefined_error(value);
  auto number = to_real(value);
  if (number.ok()) return Value::real(number.value());
  return given.value_or(0, Value::real(0));
}

Result<Value> to_int_filter(Runtime&, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("int", std::move(arguments), {"default", "base"}, 0));
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (value.is_whole()) return Value::integer(value.whole());
  // A base that is none is no error: the text is then read as a real number.
  constexpr Integer base_max = 36;
  if (value.is(Kind::text))
    if (const auto base = given.whole(1, 10); base.ok() && base.value() >= 0 && base.value() <= base_max)
      if (const auto number = parse_integer(value.string(), static_cast<int>(base.value())))
        return Value::integer(*number);
  auto real = to_real(value);
  if (real.ok() && std::isinf(real.value()) && value.is(Kind::real))
    return type_error("cannot convert float infinity to integer");
  if (!real.ok() || !(std::fabs(real.value()) < 1e27)) return given.value_or(0, Value::integer(0));
  return Value::integer(static_cast<Integer>(real.value()));
}

Result<Value> format(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Value pattern, soft_text(runtime, value));
  if (!arguments.positional.empty() && !arguments.named.empty())
    return type_error("can't handle positional and keyword arguments at the same time");
  if (arguments.named.empty()) {
    TRY(const Value tuple, Value::tuple(std::move(arguments.positional)));
    return format_percent(runtime, pattern, tuple);
  }
  std::vector<std::pair<Value, Value>> pairs;
  for (auto& [name, item] : arguments.named) pairs.emplace_back(Value::text(name), std::move(item));
  TRY(const Value dict, Value::dict(std::move(pairs)));
  return format_percent(runtime, pattern, dict);
}

Result<Value> length(Runtime&, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("length", std::move(arguments), {}, 0));
  TRY(const Integer count, length_of(value));
  return Value::integer(count);
}

Result<Value> rounded(Runtime&, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("round", std::move(arguments), {"precision", "method"}, 0));
  // Python's round(number, None) is a whole number.
  const bool to_whole = given.has(0) && given.at(0).is(Kind::none);
  const Value places = to_whole ? Value::integer(0) : given.value_or(0, Value::integer(0));
  if (!places.is_whole())
    return type_error("'" + type_name(places) + "' object cannot be interpreted as an integer");
  const Integer precision = places.whole();
  TRY(const auto method, given.text(1));
  const std::string how = method.value_or(given.has(1) ? "" : "common");
  if (how != "common" && how != "ceil" && how != "floor")
    return type_error("method must be common, ceil or floor");
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (!value.is_number()) return type_error("type " + type_name(value) + " doesn't define __round__ method");
  if (precision > 300 || precision < -300) return type_error("the precision is too large");
  const int digits = static_cast<int>(precision);
  if (how == "common") {
    TRY(const Value round, round_half_even(value, digits));
    if (!to_whole || round.is_whole()) return round;
    if (!(std::fabs(round.number()) < 1e27)) return type_error("the integer is too large");
    return Value::integer(static_cast<Integer>(round.number()));
  }
  if (to_whole) return type_error("unsupported operand type(s) for ** or pow(): 'int' and 'NoneType'");
  const double scale = std::pow(10.0, digits);
  const double number = value.number() * scale;
  return Value::real((how == "ceil" ? std::ceil(number) : std::floor(number)) / scale);
}

Result<Value> as_text(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("string", std::move(arguments), {}, 0));
  return soft_text(runtime, value);
}

Result<Value> json(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given,
      Bound::bind("tojson", std::move(arguments), {"ensure_ascii", "indent", "separators", "sort_keys"}, 0));
  JsonStyle style;
  style.ascii_only = given.flag(0);
  style.sort_keys = given.flag(3);
  // Python's encoder has done with a text before it looks at the indentation.
  if (given.has(1) && !given.at(1).is(Kind::none) && !value.is(Kind::text)) {
    if (given.at(1).is(Kind::text)) {
      style.indent = given.at(1).string();
    } else {
      TRY(const Integer width, given.whole(1, 0));
      if (width > indent_max) return type_error("the indentation is too large");
      style.indent = std::string(static_cast<size_t>(std::max<Integer>(0, width)), ' ');
    }
    style.item_separator = ",";
  }
  // Nor at separators that nothing is put between.
  const bool separates =
      !value.is(Kind::text) && (!style.indent || value.is_sequence() || value.is(Kind::dict));
  if (given.has(2) && !given.at(2).is(Kind::none)) {
    if (!iterable(given.at(2)))
      return type_error("cannot unpack non-iterable " + type_name(given.at(2)) + " object");
    TRY(const Items pair, collect(runtime, given.at(2)));
    if (pair.size() != 2 || (separates && !(pair[0].is(Kind::text) && pair[1].is(Kind::text))))
      return type_error("separators must be two strings");
    if (separates) {
      style.item_separator = pair[0].string();
      style.key_separator = pair[1].string();
    }
  }
  TRY(std::string text, to_json(runtime, value, style));
  return Value::text(std::move(text));
}

Result<Value> pretty(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("pprint", std::move(arguments), {}, 0));
  TRY(std::string text, pretty_text(runtime, value));
  return Value::text(std::move(text));
}

Result<Value> random_item(Runtime&, const Value&, Arguments) {
  return type_error("the filter 'random' is not supported: a template has to give the same text every time");
}

struct Row {
  std::string_view name;
  Filter filter;
};
constexpr Row rows[] = {{"abs", absolute},          {"attr", attribute},    {"count", length},
                        {"d", otherwise},           {"default", otherwise}, {"filesizeformat", file_size},
                        {"float", to_float_filter}, {"format", format},     {"int", to_int_filter},
                        {"length", length},         {"pprint", pretty},     {"random", random_item},
                        {"round", rounded},         {"string", as_text},    {"tojson", json}};

}  // namespace

Filter find_filter(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.filter;
  if (const Filter found = find_text_filter(name)) return found;
  if (const Filter found = find_list_filter(name)) return found;
  return find_lazy_filter(name);
}

}  // namespace holdfast::jinja
