#pragma once

#include <functional>
#include <optional>

#include "jinja/runtime.h"

namespace holdfast::jinja {

using NextItem = std::function<Result<std::optional<Value>>()>;

// iter(value): one item each time, nullopt at the end. Not iterable is an error.
Result<NextItem> open_iterator(Runtime& runtime, const Value& value);
// list(value), charged to the budget.
Result<Items> collect(Runtime& runtime, const Value& value);
bool iterable(const Value& value);
// len(value).
Result<Integer> length_of(const Value& value);
// A generator. `source` is what it draws from, for the bound on nesting.
Result<Value> make_iterator(NextItem next, const Value& source, std::string type_name = "generator");

}  // namespace holdfast::jinja
