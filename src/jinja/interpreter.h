#pragma once

#include <string>
#include <utility>
#include <vector>

#include "jinja/runtime.h"
#include "jinja/tree.h"

namespace holdfast::jinja {

using Variables = std::vector<std::pair<std::string, Value>>;

// Runs the statements with these variables; `unset` are not visible until they are set. An error's line is
// put in `error_line`.
Result<std::string> interpret(const Body& body, const std::vector<std::string>& unset,
                              const Variables& variables, const Variables& globals, Runtime& runtime,
                              uint32_t& error_line);

}  // namespace holdfast::jinja
