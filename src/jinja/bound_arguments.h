#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace holdfast::jinja {

// The arguments of one call put in the order of the parameters, as Python binds them.
class BoundArguments {
 public:
  // Parameters from `required` on may be missing. Too many, unknown and doubled arguments are errors that
  // name the function.
  static Result<BoundArguments> bind(std::string_view function, Arguments arguments,
                                     std::initializer_list<std::string_view> parameters, size_t required);

  // Of a function of Python that takes no names for its arguments.
  static Result<BoundArguments> bind_places(std::string_view function, Arguments arguments, size_t most,
                                            size_t required);

  bool has(size_t index) const { return values_[index].has_value(); }
  const Value& at(size_t index) const { return *values_[index]; }
  Value value_or(size_t index, Value otherwise) const {
    return has(index) ? at(index) : std::move(otherwise);
  }
  bool flag(size_t index, bool otherwise = false) const { return has(index) ? truthy(at(index)) : otherwise; }
  // A missing argument and None give nullopt; another type is an error.
  Result<std::optional<std::string>> text(size_t index) const;
  Result<Integer> whole(size_t index, Integer otherwise) const;

 private:
  std::string function_;
  std::vector<std::optional<Value>> values_;
};

}  // namespace holdfast::jinja
