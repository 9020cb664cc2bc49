#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::jinja {

// Python's int as far as templates need it: arithmetic beyond 128 bits is an error, not a wrong number.
__extension__ using Integer = __int128;

class Value;
using Items = std::vector<Value>;

enum class Kind : uint8_t {
  undefined,
  none,
  boolean,
  integer,
  real,
  text,
  list,
  tuple,
  dict,
  range,
  view,  // dict.keys(), .values(), .items()
  iterator,
  name_space,
  function,  // Anything that can be called: globals, methods, macros.
  loop,
};

// What a heap value holds. `depth` is how many containers are nested inside and `weight` how many values
// there are when shared ones are counted each time: both are bounded when a container is made, so that
// comparing, printing and freeing end.
struct Object {
  virtual ~Object() = default;
  uint32_t depth = 1;
  uint64_t weight = 1;
};
inline constexpr uint32_t nesting_max = 200;
inline constexpr uint64_t weight_max = 8'000'000;

struct DictObject;

// One value of a template as Python has it. Containers are shared and never change once made (the sandbox
// forbids it), namespaces alone do. Copying is cheap; not safe for two threads at once, like the whole
// render.
class Value {
 public:
  Value() = default;  // None.
  static Value boolean(bool flag);
  static Value integer(Integer number);
  static Value real(double number);
  static Value text(std::string text);    // UTF-8.
  static Value markup(std::string text);  // A text that is taken for HTML (markup.h).
  // Containers deeper than nesting_max or heavier than weight_max are an error.
  static Result<Value> list(Items items);
  static Result<Value> tuple(Items items);
  static Result<Value> dict(
      std::vector<std::pair<Value, Value>> pairs);  // Of equal keys the last value wins.
  static Value of(Kind kind, std::shared_ptr<const Object> object);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_number() const {
    return kind_ <= Kind::real && kind_ >= Kind::boolean;
  }  // bool is an int in Python.
  bool is_whole() const { return kind_ == Kind::boolean || kind_ == Kind::integer; }
  bool is_markup() const;
  bool is_sequence() const { return kind_ == Kind::list || kind_ == Kind::tuple; }

  bool flag() const { return whole_ != 0; }
  Integer whole() const { return whole_; }  // Of boolean and integer.
  double number() const { return kind_ == Kind::real ? real_ : static_cast<double>(whole_); }
  const std::string& string() const;  // Of text.
  const Items& items() const;         // Of list and tuple.
  const DictObject& as_dict() const;
  const std::shared_ptr<const Object>& object() const { return object_; }
  template <class T>
  const T& as() const {
    return static_cast<const T&>(*object_);
  }
  // Of namespaces, iterators, loops: the values that change.
  template <class T>
  T& changing() const {
    return const_cast<T&>(static_cast<const T&>(*object_));
  }
  uint32_t depth() const { return object_ ? object_->depth : 0; }
  uint64_t weight() const { return object_ ? object_->weight : 1; }

 private:
  Kind kind_ = Kind::none;
  double real_ = 0;
  Integer whole_ = 0;
  std::shared_ptr<const Object> object_;
};

struct TextObject final : Object {
  std::string text;
  bool markup = false;
};

struct ListObject final : Object {
  Items items;
};

// Keys in the order they came, found by hash once there are many.
struct DictObject final : Object {
  std::vector<std::pair<Value, Value>> pairs;
  std::vector<uint32_t> buckets;  // Open addressing; empty for small dicts.

  const Value* find(std::string_view key) const;
  const Value* find(const Value& key) const;
  void build_index();
};

struct RangeObject final : Object {
  Integer start = 0, stop = 0, step = 1;
  Integer count = 0;
};

enum class ViewOf : uint8_t { keys, values, items };
struct ViewObject final : Object {
  ViewOf of = ViewOf::keys;
  std::shared_ptr<const Object> dict;
};

// Lazy like Python's generators: each item is made when asked for, once.
struct IteratorObject final : Object {
  std::string type_name = "generator";
  std::function<Result<std::optional<Value>>()> next;
};

struct NamespaceObject final : Object {
  std::vector<std::pair<std::string, Value>> attributes;

  const Value* find(std::string_view name) const;
  void set(std::string_view name, Value value);
};

// Why a name has no value; told when the template uses it as if it had one.
struct UndefinedObject final : Object {
  std::string message;
};
Value undefined(std::string message);
Value undefined_name(std::string_view name);

struct Arguments {
  Items positional;
  std::vector<std::pair<std::string, Value>> named;
};

class Runtime;
struct FunctionObject : Object {
  std::string name;
  std::string type_name = "function";
  std::string printed;  // What str() of it gives.
  std::function<Result<Value>(Runtime&, Arguments)> call;
  // Attributes it has (a macro's name, a cycler's methods); may be empty.
  std::function<std::optional<Value>(std::string_view)> attribute;
};

// "str", "NoneType", "dict_items": the name Python gives the type.
std::string type_name(const Value& value);
bool truthy(const Value& value);
// Python's ==; never fails, 1 == 1.0 == True.
bool equal(const Value& left, const Value& right);
bool hashable(const Value& value);
// Of a hashable value; equal values have equal hashes.
size_t hash_of(const Value& value);

}  // namespace holdfast::jinja
