#include "jinja/methods.h"

#include <cmath>

#include "jinja/bound_arguments.h"
#include "jinja/iterate.h"
#include "jinja/operators.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {
namespace {

struct Row {
  std::string_view name;
  Method method;
};

Result<Value> dict_get(Runtime&, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("get", std::move(arguments), 2, 1));
  if (!hashable(given.at(0))) return type_error("unhashable type: '" + type_name(given.at(0)) + "'");
  const Value* found = self.as_dict().find(given.at(0));
  return found != nullptr ? *found : given.value_or(1, Value());
}

template <ViewOf of>
Result<Value> dict_view(Runtime&, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("view", std::move(arguments), {}, 0));
  auto object = std::make_shared<ViewObject>();
  object->of = of;
  object->dict = self.object();
  object->depth = self.depth() + 1;
  object->weight = self.weight() * 3;
  return Value::of(Kind::view, std::move(object));
}

Result<Value> copied(Runtime&, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("copy", std::move(arguments), {}, 0));
  return self;
}

Result<Value> sequence_count(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("count", std::move(arguments), 1, 1));
  TRY(const Items items, collect(runtime, self));
  Integer count = 0;
  for (const Value& item : items) {
    TRY(const bool equals, same(runtime, item, given.at(0)));
    count += equals ? 1 : 0;
  }
  return Value::integer(count);
}

Result<Value> sequence_index(Runtime& runtime, const Value& self, Arguments arguments) {
  TRY(const BoundArguments given, BoundArguments::bind_places("index", std::move(arguments), 3, 1));
  TRY(const Items items, collect(runtime, self));
  const auto count = static_cast<Integer>(items.size());
  TRY(Integer start, given.whole(1, 0));
  TRY(Integer stop, given.whole(2, count));
  if (start < 0) start = std::max<Integer>(0, start + count);
  if (stop < 0) stop += count;
  for (Integer i = start; i < std::min(stop, count); ++i) {
    TRY(const bool equals, same(runtime, items[static_cast<size_t>(i)], given.at(0)));
    if (equals) return Value::integer(i);
  }
  TRY(const std::string shown, repr_of(runtime, given.at(0)));
  return type_error(shown + " is not in " + type_name(self));
}

Result<Value> is_integer(Runtime&, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("is_integer", std::move(arguments), {}, 0));
  return Value::boolean(std::isfinite(self.number()) && self.number() == std::floor(self.number()));
}

Result<Value> bit_length(Runtime&, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("bit_length", std::move(arguments), {}, 0));
  Integer count = 0;
  for (Integer rest = self.whole() < 0 ? -self.whole() : self.whole(); rest != 0; rest /= 2) ++count;
  return Value::integer(count);
}

Result<Value> bit_count(Runtime&, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("bit_count", std::move(arguments), {}, 0));
  Integer count = 0;
  for (Integer rest = self.whole() < 0 ? -self.whole() : self.whole(); rest != 0; rest /= 2)
    count += rest % 2;
  return Value::integer(count);
}

Result<Value> conjugate(Runtime&, const Value& self, Arguments arguments) {
  TRY_DONE(BoundArguments::bind("conjugate", std::move(arguments), {}, 0));
  return self.is(Kind::real) ? self : Value::integer(self.whole());
}

constexpr Row dict_rows[] = {{"get", dict_get},
                             {"keys", dict_view<ViewOf::keys>},
                             {"values", dict_view<ViewOf::values>},
                             {"items", dict_view<ViewOf::items>},
                             {"copy", copied}};
constexpr Row list_rows[] = {{"count", sequence_count}, {"index", sequence_index}, {"copy", copied}};
constexpr Row tuple_rows[] = {{"count", sequence_count}, {"index", sequence_index}};
constexpr Row real_rows[] = {{"conjugate", conjugate}, {"is_integer", is_integer}};
constexpr Row integer_rows[] = {
    {"bit_count", bit_count}, {"bit_length", bit_length}, {"conjugate", conjugate}};

template <size_t count>
Method find_in(const Row (&rows)[count], std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return row.method;
  return nullptr;
}

}  // namespace

Method find_method(Kind kind, std::string_view name) {
  switch (kind) {
    case Kind::text:
      return find_text_method(name);
    case Kind::dict:
      return find_in(dict_rows, name);
    case Kind::list:
      return find_in(list_rows, name);
    case Kind::tuple:
    case Kind::range:
      return find_in(tuple_rows, name);
    case Kind::real:
      return find_in(real_rows, name);
    case Kind::boolean:
    case Kind::integer:
      return find_in(integer_rows, name);
    case Kind::undefined:
    case Kind::none:
    case Kind::view:
    case Kind::iterator:
    case Kind::name_space:
    case Kind::function:
    case Kind::loop:
      return nullptr;
  }
  return nullptr;
}

std::optional<Value> plain_attribute(const Value& value, std::string_view name) {
  if (value.is(Kind::range)) {
    const auto& range = value.as<RangeObject>();
    if (name == "start") return Value::integer(range.start);
    if (name == "stop") return Value::integer(range.stop);
    if (name == "step") return Value::integer(range.step);
  }
  if (value.is_whole()) {
    if (name == "real" || name == "numerator") return Value::integer(value.whole());
    if (name == "imag") return Value::integer(0);
    if (name == "denominator") return Value::integer(1);
  }
  if (value.is(Kind::real)) {
    if (name == "real") return value;
    if (name == "imag") return Value::real(0);
  }
  return std::nullopt;
}

}  // namespace holdfast::jinja
