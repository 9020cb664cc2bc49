#include "jinja/access.h"

#include <algorithm>
#include <array>

#include "jinja/characters.h"
#include "jinja/markup.h"
#include "jinja/methods.h"
#include "jinja/python_text.h"

namespace holdfast::jinja {
namespace {

constexpr std::array<std::string_view, 8> list_changers = {"append", "clear", "pop",    "reverse",
                                                           "insert", "sort",  "extend", "remove"};
constexpr std::array<std::string_view, 5> dict_changers = {"clear", "pop", "popitem", "setdefault", "update"};

bool changes(const Value& value, std::string_view name) {
  if (value.is(Kind::list))
    return std::find(list_changers.begin(), list_changers.end(), name) != list_changers.end();
  return value.is(Kind::dict) &&
         std::find(dict_changers.begin(), dict_changers.end(), name) != dict_changers.end();
}

Value bound_method(const Value& self, std::string_view name, Method method) {
  auto object = std::make_shared<FunctionObject>();
  object->name = std::string(name);
  object->type_name = "builtin_function_or_method";
  object->printed = "<built-in method " + object->name + " of " + type_name(self) + " object>";
  object->depth = self.depth() + 1;
  object->weight = self.weight() + 1;
  object->call = [self, method](Runtime& runtime, Arguments arguments) {
    return method(runtime, self, std::move(arguments));
  };
  return Value::of(Kind::function, std::move(object));
}

Value unsafe(const Value& value, std::string_view name) {
  return undefined("access to attribute " + quoted(name) + " of " + quoted(type_name(value)) +
                   " object is unsafe.");
}

// "list object", "None": how messages call a value.
std::string described(const Value& value) {
  if (value.is(Kind::none)) return "None";
  switch (value.kind()) {
    case Kind::name_space:
      return "transformers.utils.chat_template_utils.TemplateNamespace object";
    case Kind::loop:
      return "jinja2.runtime.LoopContext object";
    case Kind::undefined:
    case Kind::none:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::text:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::range:
    case Kind::view:
    case Kind::iterator:
    case Kind::function:
      break;
  }
  return (value.is_markup() ? "markupsafe." : "") + type_name(value) + " object";
}

Value missing(const Value& value, std::string_view name) {
  return undefined("'" + described(value) + "' has no attribute " + quoted(name));
}

std::optional<Value> indexed(const Value& value, Integer index) {
  if (value.is(Kind::range)) {
    const auto& range = value.as<RangeObject>();
    if (index < 0) index += range.count;
    if (index < 0 || index >= range.count) return std::nullopt;
    return Value::integer(range.start + range.step * index);
  }
  if (value.is(Kind::text)) {
    const std::string& text = value.string();
    const auto count = static_cast<Integer>(character_count(text));
    if (index < 0) index += count;
    if (index < 0 || index >= count) return std::nullopt;
    const size_t at = character_offset(text, static_cast<size_t>(index));
    std::string found = text.substr(at, character_bytes(std::string_view(text).substr(at)));
    return value.is_markup() ? Value::markup(std::move(found)) : Value::text(std::move(found));
  }
  const Items& items = value.items();
  const auto count = static_cast<Integer>(items.size());
  if (index < 0) index += count;
  if (index < 0 || index >= count) return std::nullopt;
  return items[static_cast<size_t>(index)];
}

std::optional<Value> own_item(const Value& value, const Value& key) {
  if (value.is(Kind::dict)) {
    const Value* found = hashable(key) ? value.as_dict().find(key) : nullptr;
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  }
  if (!key.is_whole()) return std::nullopt;
  if (value.is_sequence() || value.is(Kind::text) || value.is(Kind::range))
    return indexed(value, key.whole());
  return std::nullopt;
}

// Python's slice.indices.
struct SliceBounds {
  Integer start = 0, stop = 0, step = 1, count = 0;
};

Result<SliceBounds> bounds(Integer length, const Value& start, const Value& stop, const Value& step) {
  SliceBounds out;
  if (!step.is(Kind::none)) out.step = step.whole();
  if (out.step == 0) return type_error("slice step cannot be zero");
  const bool down = out.step < 0;
  const Integer lowest = down ? -1 : 0, highest = down ? length - 1 : length;
  const auto clamp = [&](const Value& part, Integer otherwise) {
    if (part.is(Kind::none)) return otherwise;
    const Integer at = part.whole() < 0 ? part.whole() + length : part.whole();
    return std::clamp(at, lowest, highest);
  };
  out.start = clamp(start, down ? highest : lowest);
  out.stop = clamp(stop, down ? lowest : highest);
  const Integer distance = down ? out.start - out.stop : out.stop - out.start;
  const Integer stride = down ? -out.step : out.step;
  out.count = distance > 0 ? (distance + stride - 1) / stride : 0;
  return out;
}

Value sliced_range(const RangeObject& range, const SliceBounds& cut) {
  auto object = std::make_shared<RangeObject>();
  object->start = range.start + cut.start * range.step;
  object->step = range.step * cut.step;
  object->count = cut.count;
  object->stop = range.start + cut.stop * range.step;
  return Value::of(Kind::range, std::move(object));
}

Result<Value> sliced_text(Runtime& runtime, const std::string& text, const SliceBounds& cut) {
  const std::vector<std::string_view> all = characters(text);
  std::string out;
  for (Integer i = 0; i < cut.count; ++i) out += all[static_cast<size_t>(cut.start + i * cut.step)];
  TRY_DONE(runtime.budget.made(text.size()));
  return Value::text(std::move(out));
}

}  // namespace

std::optional<Value> own_attribute(const Value& value, std::string_view name) {
  if (value.is(Kind::name_space)) {
    const Value* found = value.as<NamespaceObject>().find(name);
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  }
  if (value.is(Kind::function) || value.is(Kind::loop)) {
    const auto& function = value.as<FunctionObject>();
    return function.attribute ? function.attribute(name) : std::nullopt;
  }
  const Method method = value.is_markup() ? find_markup_method(name) : find_method(value.kind(), name);
  if (method != nullptr) return bound_method(value, name, method);
  return plain_attribute(value, name);
}

Result<Value> get_attribute(Runtime& runtime, const Value& value, std::string_view name) {
  TRY_DONE(runtime.budget.steps(1));
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (changes(value, name) || (name.starts_with("__") && name.ends_with("__"))) return unsafe(value, name);
  if (std::optional<Value> own = own_attribute(value, name)) return std::move(*own);
  if (value.is(Kind::dict))
    if (const Value* found = value.as_dict().find(name)) return *found;
  return missing(value, name);
}

Result<Value> get_item(Runtime& runtime, const Value& value, const Value& key) {
  TRY_DONE(runtime.budget.steps(1));
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (value.is(Kind::text)) TRY_DONE(runtime.budget.steps(value.string().size() / 256));
  if (std::optional<Value> item = own_item(value, key)) return std::move(*item);
  if (!key.is(Kind::text)) {
    TRY(const std::string shown, repr_of(runtime, key));
    return undefined(described(value) + " has no element " + shown);
  }
  const std::string& name = key.string();
  if (changes(value, name) || (name.starts_with("__") && name.ends_with("__"))) return unsafe(value, name);
  if (std::optional<Value> own = own_attribute(value, name)) return std::move(*own);
  return missing(value, name);
}

Result<Value> get_slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop,
                        const Value& step) {
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (value.is(Kind::dict)) return type_error("unhashable type: 'slice'");
  if (!value.is_sequence() && !value.is(Kind::text) && !value.is(Kind::range))
    return type_error("'" + type_name(value) + "' object is not subscriptable");
  for (const Value* part : {&start, &stop, &step})
    if (!part->is(Kind::none) && !part->is_whole())
      return type_error("slice indices must be integers or None or have an __index__ method");
  const Integer length = value.is(Kind::text)    ? static_cast<Integer>(character_count(value.string()))
                         : value.is(Kind::range) ? value.as<RangeObject>().count
                                                 : static_cast<Integer>(value.items().size());
  TRY(const SliceBounds cut, bounds(length, start, stop, step));
  if (value.is(Kind::range)) return sliced_range(value.as<RangeObject>(), cut);
  if (value.is(Kind::text)) {
    TRY(Value text, sliced_text(runtime, value.string(), cut));
    return value.is_markup() ? as_markup(std::move(text)) : text;
  }
  TRY_DONE(runtime.budget.steps(static_cast<uint64_t>(cut.count)));
  Items out;
  out.reserve(static_cast<size_t>(cut.count));
  for (Integer i = 0; i < cut.count; ++i)
    out.push_back(value.items()[static_cast<size_t>(cut.start + i * cut.step)]);
  return value.is(Kind::list) ? Value::list(std::move(out)) : Value::tuple(std::move(out));
}

}  // namespace holdfast::jinja
