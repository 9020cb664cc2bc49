#pragma once

#include <string_view>

#include "scan/finding.h"

namespace holdfast::scan {

// What it means that a pickle looks up `name` (maybe dotted) in `module`. Innocuous only by name; whole
// modules are dangerous with all that is in them; everything else is suspicious. Lists: governance.md 2.1
// (picklescan, fickling, modelscan and their known misses), torch's own weights_only list.
Safety safety_of(std::string_view module, std::string_view name);

}  // namespace holdfast::scan
