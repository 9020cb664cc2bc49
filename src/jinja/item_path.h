#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// The `attribute` argument of filters: "a.b.0" or a number, looked up item by item.
class ItemPath {
 public:
  static Result<ItemPath> of(Runtime& runtime, const Value& attribute);
  // With a default, what is undefined on the way becomes it.
  Result<Value> get(Runtime& runtime, const Value& value, const std::optional<Value>& otherwise = {}) const;

 private:
  std::vector<Value> parts_;
};

// Text in lower case, all else as it is: how filters compare when case does not count.
Value without_case(const Value& value);

}  // namespace holdfast::jinja
