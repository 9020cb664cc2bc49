#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast {

// What the text of an option is checked to be.
enum class OptionKind : uint8_t {
  text,
  flag,      // true or false.
  count,     // A whole number.
  bytes,     // A whole number with KiB, MiB, GiB, TiB (or kB, MB, GB, TB), or bare.
  duration,  // A whole number with ms, s, m, h or d.
  choice,    // One of some words.
  list,      // Words with commas between them; an array in the file.
};

Result<bool> parse_flag(std::string_view text);
Result<int64_t> parse_count(std::string_view text);
Result<uint64_t> parse_bytes(std::string_view text);
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// "30s", "1500ms", "2h": the largest unit that says it exactly.
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace holdfast
