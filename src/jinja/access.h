#pragma once

#include <optional>
#include <string_view>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// value.name as the immutable sandbox gives it: a method or attribute first, then value["name"], else
// undefined.
Result<Value> get_attribute(Runtime& runtime, const Value& value, std::string_view name);
// value[key]: an item first, then for text keys an attribute, else undefined.
Result<Value> get_item(Runtime& runtime, const Value& value, const Value& key);
// value[start:stop:step]; None where one is left out.
Result<Value> get_slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop,
                        const Value& step);
// A method or attribute alone, nullopt where the type has none of that name.
std::optional<Value> own_attribute(const Value& value, std::string_view name);

}  // namespace holdfast::jinja
