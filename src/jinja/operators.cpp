#include "jinja/operators.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "jinja/format.h"
#include "jinja/iterate.h"
#include "jinja/markup.h"

namespace holdfast::jinja {
namespace {

constexpr Integer integer_max = std::numeric_limits<int64_t>::max() * static_cast<Integer>(1'000'000'000);
constexpr Integer items_max = 4'000'000;

Error unsupported(std::string_view sign, const Value& left, const Value& right) {
  const std::string shown = sign == "**" ? "** or pow()" : std::string(sign);
  return type_error("unsupported operand type(s) for " + shown + ": '" + type_name(left) + "' and '" +
                    type_name(right) + "'");
}

Result<Value> bounded(Integer number) {
  if (number > integer_max || number < -integer_max) return type_error("the integer is too large");
  return Value::integer(number);
}

Result<Integer> product(Integer left, Integer right) {
  if (left == 0 || right == 0) return Integer{0};
  const Integer most = (left < 0 ? -left : left);
  if ((right < 0 ? -right : right) > integer_max / most) return type_error("the integer is too large");
  return left * right;
}

Integer floor_quotient(Integer left, Integer right) {
  const Integer quotient = left / right;
  return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

double floor_remainder(double left, double right) {
  double rest = std::fmod(left, right);
  if (rest != 0 && (right < 0) != (rest < 0)) rest += right;
  return rest == 0 ? std::copysign(0.0, right) : rest;
}

double floor_quotient(double left, double right) {
  const double rest = floor_remainder(left, right);
  const double quotient = (left - rest) / right;
  if (quotient == 0) return std::copysign(0.0, left / right);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

Result<Value> integer_power(Integer base, Integer exponent) {
  if (exponent < 0) {
    if (base == 0) return type_error("0.0 cannot be raised to a negative power");
    return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  if (base == 0 || base == 1 || base == -1)
    return Value::integer(exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base);
  Integer out = 1;
  for (Integer i = 0; i < exponent; ++i) {
    TRY(out, product(out, base));
  }
  return Value::integer(out);
}

Result<Value> integers(std::string_view sign, Integer left, Integer right) {
  if (sign == "+") return bounded(left + right);
  if (sign == "-") return bounded(left - right);
  if (sign == "*") {
    TRY(const Integer number, product(left, right));
    return Value::integer(number);
  }
  if (sign == "**") return integer_power(left, right);
  if (right == 0)
    return type_error(sign == "/"   ? "division by zero"
                      : sign == "%" ? "integer modulo by zero"
                                    : "integer division or modulo by zero");
  if (sign == "/") return Value::real(static_cast<double>(left) / static_cast<double>(right));
  const Integer quotient = floor_quotient(left, right);
  return Value::integer(sign == "//" ? quotient : left - quotient * right);
}

Result<Value> reals(std::string_view sign, double left, double right) {
  if (sign == "+") return Value::real(left + right);
  if (sign == "-") return Value::real(left - right);
  if (sign == "*") return Value::real(left * right);
  if (sign == "**") {
    if (left == 0 && right < 0) return type_error("0.0 cannot be raised to a negative power");
    const double out = std::pow(left, right);
    if (std::isnan(out) && !std::isnan(left) && !std::isnan(right))
      return type_error("complex numbers are not supported");
    if (std::isinf(out) && std::isfinite(left) && std::isfinite(right))
      return type_error("(34, 'Numerical result out of range')");
    return Value::real(out);
  }
  if (right == 0)
    return type_error(sign == "/"   ? "float division by zero"
                      : sign == "%" ? "float modulo"
                                    : "float floor division by zero");
  if (sign == "/") return Value::real(left / right);
  return Value::real(sign == "//" ? floor_quotient(left, right) : floor_remainder(left, right));
}

Result<Value> repeated(Runtime& runtime, const Value& value, Integer times) {
  const bool is_empty = value.is(Kind::text) ? value.string().empty() : value.items().empty();
  if (times < 0 || is_empty) times = 0;
  if (times > items_max * 100) return type_error("the result is too large");
  if (value.is(Kind::text)) {
    const std::string& text = value.string();
    if (times > 0 && times > static_cast<Integer>(size_t{1} << 40) / static_cast<Integer>(text.size()))
      return type_error("the result is too large");
    TRY_DONE(runtime.budget.made(text.size() * static_cast<size_t>(times)));
    std::string out;
    out.reserve(text.size() * static_cast<size_t>(times));
    for (Integer i = 0; i < times; ++i) out += text;
    return value.is_markup() ? Value::markup(std::move(out)) : Value::text(std::move(out));
  }
  const auto count = static_cast<Integer>(value.items().size());
  if (count * times > items_max) return type_error("the result is too large");
  TRY_DONE(runtime.budget.steps(static_cast<uint64_t>(count * times)));
  Items out;
  for (Integer i = 0; i < times; ++i) out.insert(out.end(), value.items().begin(), value.items().end());
  return value.is(Kind::list) ? Value::list(std::move(out)) : Value::tuple(std::move(out));
}

Result<Value> joined(Runtime& runtime, const Value& left, const Value& right) {
  const Kind kind = left.kind();
  if (kind != Kind::text && kind != Kind::list && kind != Kind::tuple) return unsupported("+", left, right);
  if (right.kind() != kind) {
    if (kind != Kind::text)
      return type_error("can only concatenate " + type_name(left) + " (not \"" + type_name(right) +
                        "\") to " + type_name(left));
    return type_error("can only concatenate str (not \"" + type_name(right) + "\") to str");
  }
  if (left.is_markup() || right.is_markup()) return joined_markup(runtime, left, right);
  if (kind == Kind::text) return made_text(runtime, left.string() + right.string());
  TRY_DONE(runtime.budget.steps(left.items().size() + right.items().size()));
  Items out = left.items();
  out.insert(out.end(), right.items().begin(), right.items().end());
  return kind == Kind::list ? Value::list(std::move(out)) : Value::tuple(std::move(out));
}

bool repeats(const Value& value) { return value.is(Kind::text) || value.is_sequence(); }

Error not_ordered(std::string_view sign, const Value& left, const Value& right) {
  return type_error("'" + std::string(sign) + "' not supported between instances of '" + type_name(left) +
                    "' and '" + type_name(right) + "'");
}

// left < right as numbers.
bool number_less(const Value& left, const Value& right) {
  if (left.is_whole() && right.is_whole()) return left.whole() < right.whole();
  return left.number() < right.number();
}

Result<bool> sequence_less(Runtime& runtime, const Value& left, const Value& right, bool or_equal) {
  const Items &a = left.items(), &b = right.items();
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    TRY(const bool equals, same(runtime, a[i], b[i]));
    if (!equals) return less(runtime, a[i], b[i]);
  }
  return or_equal ? a.size() <= b.size() : a.size() < b.size();
}

// Code points order as their UTF-8 bytes do.
Result<bool> ordered(Runtime& runtime, std::string_view sign, const Value& left, const Value& right) {
  if (left.is(Kind::undefined)) return undefined_error(left);
  if (right.is(Kind::undefined)) return undefined_error(right);
  const bool swap = sign[0] == '>', or_equal = sign.size() == 2;
  const Value &a = swap ? right : left, &b = swap ? left : right;
  if (a.is_number() && b.is_number()) {
    const bool unordered = std::isnan(a.number()) || std::isnan(b.number());
    return !unordered && (number_less(a, b) || (or_equal && equal(a, b)));
  }
  if (a.is(Kind::text) && b.is(Kind::text))
    return or_equal ? a.string() <= b.string() : a.string() < b.string();
  if (a.is_sequence() && a.kind() == b.kind()) return sequence_less(runtime, a, b, or_equal);
  return not_ordered(sign, left, right);
}

}  // namespace

Result<Value> binary(Runtime& runtime, std::string_view sign, const Value& left, const Value& right) {
  if (sign == "%" && left.is(Kind::text)) return format_percent(runtime, left, right);
  if (left.is(Kind::undefined)) return undefined_error(left);
  if (right.is(Kind::undefined)) return undefined_error(right);
  if (left.is_number() && right.is_number()) {
    if (left.is_whole() && right.is_whole()) return integers(sign, left.whole(), right.whole());
    return reals(sign, left.number(), right.number());
  }
  if (sign == "+") return joined(runtime, left, right);
  if (sign == "*" && repeats(left) && right.is_whole()) return repeated(runtime, left, right.whole());
  if (sign == "*" && left.is_whole() && repeats(right)) return repeated(runtime, right, left.whole());
  if (sign == "*" && (repeats(left) || repeats(right)))
    return type_error("can't multiply sequence by non-int of type '" +
                      type_name(repeats(left) ? right : left) + "'");
  return unsupported(sign, left, right);
}

Result<Value> negative(const Value& value) {
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (value.is_whole()) return Value::integer(-value.whole());
  if (value.is(Kind::real)) return Value::real(-value.number());
  return type_error("bad operand type for unary -: '" + type_name(value) + "'");
}

Result<Value> positive(const Value& value) {
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (value.is_whole()) return Value::integer(value.whole());
  if (value.is(Kind::real)) return value;
  return type_error("bad operand type for unary +: '" + type_name(value) + "'");
}

Result<bool> same(Runtime& runtime, const Value& left, const Value& right) {
  TRY_DONE(runtime.budget.steps(std::min(left.weight(), right.weight())));
  return equal(left, right);
}

Result<bool> less(Runtime& runtime, const Value& left, const Value& right) {
  TRY_DONE(runtime.budget.steps(1));
  return ordered(runtime, "<", left, right);
}

Result<bool> compare(Runtime& runtime, std::string_view sign, const Value& left, const Value& right) {
  if (sign == "in") return contains(runtime, right, left);
  if (sign == "not in") {
    TRY(const bool inside, contains(runtime, right, left));
    return !inside;
  }
  if (sign == "==") return same(runtime, left, right);
  if (sign == "!=") {
    TRY(const bool equals, same(runtime, left, right));
    return !equals;
  }
  return ordered(runtime, sign, left, right);
}

Result<bool> contains(Runtime& runtime, const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::text:
      if (!item.is(Kind::text))
        return type_error("'in <string>' requires string as left operand, not " + type_name(item));
      TRY_DONE(runtime.budget.steps(container.string().size() / 256));
      return container.string().find(item.string()) != std::string::npos;
    case Kind::dict:
      if (!hashable(item)) return type_error("unhashable type: '" + type_name(item) + "'");
      return container.as_dict().find(item) != nullptr;
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
    case Kind::view:
    case Kind::iterator:
    case Kind::undefined:
      break;
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::name_space:
    case Kind::function:
    case Kind::loop:
      return type_error("argument of type '" + type_name(container) + "' is not iterable");
  }
  TRY(const NextItem next, open_iterator(runtime, container));
  while (true) {
    TRY(const std::optional<Value> candidate, next());
    if (!candidate) return false;
    TRY(const bool equals, same(runtime, *candidate, item));
    if (equals) return true;
  }
}

}  // namespace holdfast::jinja
