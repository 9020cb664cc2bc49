#include "jinja/iterate.h"

#include "jinja/characters.h"

namespace holdfast::jinja {
namespace {

Result<Value> view_item(const ViewObject& view, size_t index) {
  const auto& pair = static_cast<const DictObject&>(*view.dict).pairs[index];
  switch (view.of) {
    case ViewOf::keys:
      return pair.first;
    case ViewOf::values:
      return pair.second;
    case ViewOf::items:
      return Value::tuple({pair.first, pair.second});
  }
  return Value();
}

// Item `index` of a value that has its items at hand; nullopt past the end.
Result<std::optional<Value>> item_at(const Value& value, size_t index) {
  switch (value.kind()) {
    case Kind::list:
    case Kind::tuple:
      if (index >= value.items().size()) return std::optional<Value>();
      return std::optional<Value>(value.items()[index]);
    case Kind::dict:
      if (index >= value.as_dict().pairs.size()) return std::optional<Value>();
      return std::optional<Value>(value.as_dict().pairs[index].first);
    case Kind::range: {
      const auto& range = value.as<RangeObject>();
      if (static_cast<Integer>(index) >= range.count) return std::optional<Value>();
      return std::optional<Value>(Value::integer(range.start + range.step * static_cast<Integer>(index)));
    }
    case Kind::view: {
      const auto& view = value.as<ViewObject>();
      if (index >= static_cast<const DictObject&>(*view.dict).pairs.size()) return std::optional<Value>();
      TRY(Value item, view_item(view, index));
      return std::optional<Value>(std::move(item));
    }
    case Kind::undefined:
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::text:
    case Kind::iterator:
    case Kind::name_space:
    case Kind::function:
    case Kind::loop:
      return std::optional<Value>();
  }
  return std::optional<Value>();
}

}  // namespace

bool iterable(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::text:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::range:
    case Kind::view:
    case Kind::iterator:
    case Kind::loop:
      return true;
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::name_space:
    case Kind::function:
      return false;
  }
  return false;
}

Result<NextItem> open_iterator(Runtime& runtime, const Value& value) {
  if (!iterable(value) || value.is(Kind::loop))
    return type_error("'" + type_name(value) + "' object is not iterable");
  Budget& budget = runtime.budget;
  if (value.is(Kind::iterator))
    return NextItem([value, &budget]() -> Result<std::optional<Value>> {
      TRY_DONE(budget.steps(1));
      return value.as<IteratorObject>().next();
    });
  if (value.is(Kind::text))
    return NextItem([value, &budget, at = size_t{0}]() mutable -> Result<std::optional<Value>> {
      TRY_DONE(budget.steps(1));
      const std::string_view rest = std::string_view(value.string()).substr(at);
      if (rest.empty()) return std::optional<Value>();
      const size_t bytes = character_bytes(rest);
      at += bytes;
      return std::optional<Value>(Value::text(std::string(rest.substr(0, bytes))));
    });
  return NextItem([value, &budget, index = size_t{0}]() mutable -> Result<std::optional<Value>> {
    TRY_DONE(budget.steps(1));
    return item_at(value, index++);
  });
}

Result<Items> collect(Runtime& runtime, const Value& value) {
  if (value.is_sequence()) {
    TRY_DONE(runtime.budget.steps(value.items().size()));
    return value.items();
  }
  TRY(const NextItem next, open_iterator(runtime, value));
  Items out;
  while (true) {
    TRY(std::optional<Value> item, next());
    if (!item) return out;
    out.push_back(std::move(*item));
  }
}

Result<Integer> length_of(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return Integer{0};
    case Kind::text:
      return static_cast<Integer>(character_count(value.string()));
    case Kind::list:
    case Kind::tuple:
      return static_cast<Integer>(value.items().size());
    case Kind::dict:
      return static_cast<Integer>(value.as_dict().pairs.size());
    case Kind::range:
      return value.as<RangeObject>().count;
    case Kind::view:
      return static_cast<Integer>(static_cast<const DictObject&>(*value.as<ViewObject>().dict).pairs.size());
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::iterator:
    case Kind::name_space:
    case Kind::function:
    case Kind::loop:
      break;
  }
  return type_error("object of type '" + type_name(value) + "' has no len()");
}

Result<Value> make_iterator(NextItem next, const Value& source, std::string type_name) {
  auto object = std::make_shared<IteratorObject>();
  object->next = std::move(next);
  object->type_name = std::move(type_name);
  if (source.depth() >= nesting_max) return type_error("values are nested too deeply");
  object->depth = source.depth() + 1;
  object->weight = source.weight();
  return Value::of(Kind::iterator, std::move(object));
}

}  // namespace holdfast::jinja
