#pragma once

#include <chrono>
#include <string_view>

#include "base/arguments.h"

namespace holdfast::cli {

// `text` as a whole number from 1 to `most`; else bad_request that names the flag.
Result<size_t> read_count(std::string_view text, std::string_view flag, size_t most);
// The same of a flag's value, or `fallback` where it is not given.
Result<size_t> count_flag(const Arguments& arguments, std::string_view flag, size_t fallback, size_t most);
// Seconds, with decimals if wanted, of more than nothing and at most `most`.
Result<std::chrono::milliseconds> seconds_flag(const Arguments& arguments, std::string_view flag,
                                               std::chrono::seconds fallback, std::chrono::seconds most);

}  // namespace holdfast::cli
