#pragma once

namespace holdfast::scan {

// Raised whenever a rule changes what it says of the same bytes: verdicts of older rules are made again.
inline constexpr int rules_version = 7;

}  // namespace holdfast::scan
