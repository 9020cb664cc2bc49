#include "jinja/value.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace holdfast::jinja {
namespace {

constexpr size_t index_from = 16;  // Below, a scan is faster.
constexpr uint32_t empty_bucket = UINT32_MAX;

// How deep and heavy a container of the values added is.
class Size {
 public:
  void add(const Value& value) {
    depth_ = std::max(depth_, value.depth());
    weight_ += value.weight();
  }
  Status give(Object& object) const {
    if (depth_ >= nesting_max) return fail(Reason::bad_request, "values are nested too deeply");
    if (weight_ >= weight_max) return fail(Reason::bad_request, "a value holds too many values");
    object.depth = depth_ + 1;
    object.weight = weight_ + 1;
    return Done{};
  }

 private:
  uint32_t depth_ = 0;
  uint64_t weight_ = 0;
};

Result<Value> sequence(Kind kind, Items items) {
  Size size;
  for (const Value& item : items) size.add(item);
  auto object = std::make_shared<ListObject>();
  TRY_DONE(size.give(*object));
  object->items = std::move(items);
  return Value::of(kind, std::move(object));
}

bool equal_numbers(const Value& left, const Value& right) {
  if (left.is_whole() && right.is_whole()) return left.whole() == right.whole();
  if (left.is(Kind::real) && right.is(Kind::real)) return left.number() == right.number();
  const Value& real = left.is(Kind::real) ? left : right;
  const Value& whole = left.is(Kind::real) ? right : left;
  const double number = real.number();
  if (!(std::fabs(number) < 0x1p100) || number != std::floor(number)) return false;
  return static_cast<Integer>(number) == whole.whole();
}

bool equal_dicts(const DictObject& left, const DictObject& right) {
  if (left.pairs.size() != right.pairs.size()) return false;
  return std::all_of(left.pairs.begin(), left.pairs.end(), [&](const auto& pair) {
    const Value* other = right.find(pair.first);
    return other != nullptr && equal(pair.second, *other);
  });
}

bool equal_ranges(const RangeObject& left, const RangeObject& right) {
  if (left.count != right.count || left.count == 0) return left.count == right.count;
  return left.start == right.start && (left.count == 1 || left.step == right.step);
}

}  // namespace

Value Value::boolean(bool flag) {
  Value out;
  out.kind_ = Kind::boolean;
  out.whole_ = flag ? 1 : 0;
  return out;
}

Value Value::integer(Integer number) {
  Value out;
  out.kind_ = Kind::integer;
  out.whole_ = number;
  return out;
}

Value Value::real(double number) {
  Value out;
  out.kind_ = Kind::real;
  out.real_ = number;
  return out;
}

Value Value::text(std::string text) {
  auto object = std::make_shared<TextObject>();
  object->text = std::move(text);
  object->depth = 0;
  return of(Kind::text, std::move(object));
}

Value Value::markup(std::string text) {
  auto object = std::make_shared<TextObject>();
  object->text = std::move(text);
  object->markup = true;
  object->depth = 0;
  return of(Kind::text, std::move(object));
}

Result<Value> Value::list(Items items) { return sequence(Kind::list, std::move(items)); }
Result<Value> Value::tuple(Items items) { return sequence(Kind::tuple, std::move(items)); }

Result<Value> Value::dict(std::vector<std::pair<Value, Value>> pairs) {
  auto object = std::make_shared<DictObject>();
  Size size;
  for (const auto& [key, value] : pairs) {
    if (!hashable(key)) return fail(Reason::bad_request, "unhashable type: '" + type_name(key) + "'");
    size.add(key);
    size.add(value);
  }
  TRY_DONE(size.give(*object));
  object->pairs = std::move(pairs);
  object->build_index();
  return of(Kind::dict, std::move(object));
}

Value Value::of(Kind kind, std::shared_ptr<const Object> object) {
  Value out;
  out.kind_ = kind;
  out.object_ = std::move(object);
  return out;
}

bool Value::is_markup() const { return kind_ == Kind::text && as<TextObject>().markup; }
const std::string& Value::string() const { return as<TextObject>().text; }
const Items& Value::items() const { return as<ListObject>().items; }
const DictObject& Value::as_dict() const { return as<DictObject>(); }

// Drops earlier pairs of equal keys (the first place, the last value) and indexes the rest.
void DictObject::build_index() {
  std::vector<std::pair<Value, Value>> all;
  all.swap(pairs);
  pairs.reserve(all.size());
  if (all.size() >= index_from) buckets.assign(std::bit_ceil(all.size() * 2), empty_bucket);
  for (auto& [key, value] : all) {
    if (const Value* known = find(key)) {
      *const_cast<Value*>(known) = std::move(value);
      continue;
    }
    if (!buckets.empty()) {
      size_t at = hash_of(key) & (buckets.size() - 1);
      while (buckets[at] != empty_bucket) at = (at + 1) & (buckets.size() - 1);
      buckets[at] = static_cast<uint32_t>(pairs.size());
    }
    pairs.emplace_back(std::move(key), std::move(value));
  }
}

const Value* DictObject::find(std::string_view key) const {
  if (!buckets.empty()) return find(Value::text(std::string(key)));
  for (const auto& [name, value] : pairs)
    if (name.is(Kind::text) && name.string() == key) return &value;
  return nullptr;
}

const Value* DictObject::find(const Value& key) const {
  if (buckets.empty()) {
    for (const auto& [name, value] : pairs)
      if (equal(name, key)) return &value;
    return nullptr;
  }
  size_t at = hash_of(key) & (buckets.size() - 1);
  for (; buckets[at] != empty_bucket; at = (at + 1) & (buckets.size() - 1))
    if (equal(pairs[buckets[at]].first, key)) return &pairs[buckets[at]].second;
  return nullptr;
}

const Value* NamespaceObject::find(std::string_view name) const {
  for (const auto& [known, value] : attributes)
    if (known == name) return &value;
  return nullptr;
}

void NamespaceObject::set(std::string_view name, Value value) {
  for (auto& [known, old] : attributes)
    if (known == name) {
      old = std::move(value);
      return;
    }
  attributes.emplace_back(std::string(name), std::move(value));
}

Value undefined(std::string message) {
  auto object = std::make_shared<UndefinedObject>();
  object->message = std::move(message);
  return Value::of(Kind::undefined, std::move(object));
}

Value undefined_name(std::string_view name) { return undefined("'" + std::string(name) + "' is undefined"); }

std::string type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::real:
      return "float";
    case Kind::text:
      return value.is_markup() ? "Markup" : "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::range:
      return "range";
    case Kind::view:
      switch (value.as<ViewObject>().of) {
        case ViewOf::keys:
          return "dict_keys";
        case ViewOf::values:
          return "dict_values";
        case ViewOf::items:
          return "dict_items";
      }
      return "dict_keys";
    case Kind::iterator:
      return value.as<IteratorObject>().type_name;
    case Kind::name_space:
      return "TemplateNamespace";
    case Kind::function:
      return value.as<FunctionObject>().type_name;
    case Kind::loop:
      return "LoopContext";
  }
  return "object";
}

bool truthy(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
    case Kind::integer:
      return value.whole() != 0;
    case Kind::real:
      return value.number() != 0;
    case Kind::text:
      return !value.string().empty();
    case Kind::list:
    case Kind::tuple:
      return !value.items().empty();
    case Kind::dict:
      return !value.as_dict().pairs.empty();
    case Kind::range:
      return value.as<RangeObject>().count != 0;
    case Kind::view:
      return !static_cast<const DictObject&>(*value.as<ViewObject>().dict).pairs.empty();
    case Kind::iterator:
    case Kind::name_space:
    case Kind::function:
    case Kind::loop:
      return true;
  }
  return true;
}

bool equal(const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) return equal_numbers(left, right);
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
      return equal_numbers(left, right);
    case Kind::text:
      return left.string() == right.string();
    case Kind::list:
    case Kind::tuple:
      return left.object() == right.object() || std::equal(left.items().begin(), left.items().end(),
                                                           right.items().begin(), right.items().end(), equal);
    case Kind::dict:
      return left.object() == right.object() || equal_dicts(left.as_dict(), right.as_dict());
    case Kind::range:
      return equal_ranges(left.as<RangeObject>(), right.as<RangeObject>());
    case Kind::view:
    case Kind::iterator:
    case Kind::name_space:
    case Kind::function:
    case Kind::loop:
      return left.object() == right.object();
  }
  return false;
}

bool hashable(const Value& value) {
  if (value.is(Kind::list) || value.is(Kind::dict) || value.is(Kind::view)) return false;
  if (!value.is(Kind::tuple)) return true;
  return std::all_of(value.items().begin(), value.items().end(), hashable);
}

size_t hash_of(const Value& value) {
  if (value.is_number()) return std::hash<double>{}(value.number());
  if (value.is(Kind::text)) return std::hash<std::string>{}(value.string());
  if (!value.is(Kind::tuple)) return value.is(Kind::none) ? 1 : 2;
  size_t hash = value.items().size();
  for (const Value& item : value.items()) hash = hash * 1000003 ^ hash_of(item);
  return hash;
}

}  // namespace holdfast::jinja
