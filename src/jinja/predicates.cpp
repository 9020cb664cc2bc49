#include "jinja/predicates.h"

#include "jinja/bound_arguments.h"
#include "jinja/characters.h"
#include "jinja/filters.h"
#include "jinja/iterate.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {
namespace {

using Bound = BoundArguments;

using Asked = bool (*)(const Value&);
template <Asked ask>
Result<bool> asked(Runtime&, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("test", std::move(arguments), {}, 0));
  return ask(value);
}

template <const char* sign>
Result<bool> compared(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("test", std::move(arguments), {"other"}, 1));
  return compare(runtime, sign, value, given.at(0));
}
constexpr char eq[] = "==", ne[] = "!=", lt[] = "<", le[] = "<=", gt[] = ">", ge[] = ">=", in[] = "in";

bool is_undefined(const Value& value) { return value.is(Kind::undefined); }
bool is_defined(const Value& value) { return !value.is(Kind::undefined); }
bool is_none(const Value& value) { return value.is(Kind::none); }
bool is_boolean(const Value& value) { return value.is(Kind::boolean); }
bool is_true(const Value& value) { return value.is(Kind::boolean) && value.flag(); }
bool is_false(const Value& value) { return value.is(Kind::boolean) && !value.flag(); }
bool is_integer(const Value& value) { return value.is(Kind::integer); }
bool is_real(const Value& value) { return value.is(Kind::real); }
bool is_number(const Value& value) { return value.is_number(); }
bool is_text(const Value& value) { return value.is(Kind::text); }
bool is_mapping(const Value& value) { return value.is(Kind::dict); }
// Undefined has a length and items in jinja2's eyes.
bool is_sequence(const Value& value) {
  return value.is_sequence() || value.is(Kind::text) || value.is(Kind::dict) || value.is(Kind::range) ||
         value.is(Kind::undefined);
}
bool is_callable(const Value& value) {
  return value.is(Kind::function) || value.is(Kind::loop) || value.is(Kind::undefined);
}
bool is_escaped(const Value& value) { return value.is_markup(); }

template <bool (*ask)(std::string_view)>
Result<bool> asked_text(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("test", std::move(arguments), {}, 0));
  TRY(const std::string text, str_of(runtime, value));
  return ask(text);
}

Result<bool> divisible(Runtime& runtime, const Value& value, const Value& by, Integer rest) {
  TRY(const Value remainder, binary(runtime, "%", value, by));
  return equal(remainder, Value::integer(rest));
}
template <int rest>
Result<bool> parity(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("test", std::move(arguments), {}, 0));
  return divisible(runtime, value, Value::integer(2), rest);
}
Result<bool> divisible_by(Runtime& runtime, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("divisibleby", std::move(arguments), {"num"}, 1));
  return divisible(runtime, value, given.at(0), 0);
}

Result<bool> same_as(Runtime&, const Value& value, Arguments arguments) {
  TRY(const Bound given, Bound::bind("sameas", std::move(arguments), {"other"}, 1));
  const Value& other = given.at(0);
  if (value.kind() != other.kind()) return false;
  if (value.object() || other.object())
    return value.object() == other.object() || (value.is(Kind::text) && value.string() == other.string());
  return equal(value, other);
}

// Of what could be a key of a table.
Status bind_name(const Value& value, Arguments arguments) {
  TRY_DONE(Bound::bind("test", std::move(arguments), {}, 0));
  if (!hashable(value)) return type_error("unhashable type: '" + type_name(value) + "'");
  return Done{};
}
Result<bool> is_filter(Runtime&, const Value& value, Arguments arguments) {
  TRY_DONE(bind_name(value, std::move(arguments)));
  return value.is(Kind::text) && find_filter(value.string()) != nullptr;
}
Result<bool> is_test(Runtime&, const Value& value, Arguments arguments) {
  TRY_DONE(bind_name(value, std::move(arguments)));
  return value.is(Kind::text) && find_predicate(value.string()) != nullptr;
}

struct Row {
  std::string_view name;
  Predicate predicate;
};
constexpr Row rows[] = {{"defined", asked<is_defined>},
                        {"undefined", asked<is_undefined>},
                        {"none", asked<is_none>},
                        {"string", asked<is_text>},
                        {"mapping", asked<is_mapping>},
                        {"sequence", asked<is_sequence>},
                        {"iterable", asked<iterable>},
                        {"number", asked<is_number>},
                        {"integer", asked<is_integer>},
                        {"float", asked<is_real>},
                        {"boolean", asked<is_boolean>},
                        {"true", asked<is_true>},
                        {"false", asked<is_false>},
                        {"callable", asked<is_callable>},
                        {"escaped", asked<is_escaped>},
                        {"lower", asked_text<all_lower>},
                        {"upper", asked_text<all_upper>},
                        {"odd", parity<1>},
                        {"even", parity<0>},
                        {"divisibleby", divisible_by},
                        {"sameas", same_as},
                        {"filter", is_filter},
                        {"test", is_test},
                        {"in", compared<in>},
                        {"==", compared<eq>},
                        {"eq", compared<eq>},
                        {"equalto", compared<eq>},
                        {"!=", compared<ne>},
                        {"ne", compared<ne>},
                        {"<", compared<lt>},
                        {"lt", compared<lt>},
                        {"lessthan", compared<lt>},
                        {"<=", compared<le>},
                        {"le", compared<le>},
                        {">", compared<gt>},
                        {"gt", compared<gt>},
                        {"greaterthan", compared<gt>},
                        {">=", compared<ge>},
                        {"ge", compared<ge>}};

}  // namespace

Predicate find_predicate(std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.predicate;
  return nullptr;
}

}  // namespace holdfast::jinja
