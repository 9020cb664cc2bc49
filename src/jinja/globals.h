#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// range, dict, namespace, cycler, joiner and what transformers adds: raise_exception, strftime_now.
std::vector<std::pair<std::string, Value>> globals();

// A function value; `printed` is what str() of it gives.
Value make_function(std::string_view name, std::function<Result<Value>(Runtime&, Arguments)> call);

}  // namespace holdfast::jinja
