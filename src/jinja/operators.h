#pragma once

#include <string_view>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// left + right and the like; `sign` is one of + - * / // % **.
Result<Value> binary(Runtime& runtime, std::string_view sign, const Value& left, const Value& right);
Result<Value> negative(const Value& value);
Result<Value> positive(const Value& value);
// One of == != < <= > >= in, not in.
Result<bool> compare(Runtime& runtime, std::string_view sign, const Value& left, const Value& right);
// left < right, for sorting.
Result<bool> less(Runtime& runtime, const Value& left, const Value& right);
Result<bool> contains(Runtime& runtime, const Value& container, const Value& item);
// ==, charged for what it may look at.
Result<bool> same(Runtime& runtime, const Value& left, const Value& right);

}  // namespace holdfast::jinja
