#include "base/option_value.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace holdfast {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr std::array byte_units = {Unit{"", 1},
                                   Unit{"B", 1},
                                   Unit{"KiB", 1LL << 10},
                                   Unit{"MiB", 1LL << 20},
                                   Unit{"GiB", 1LL << 30},
                                   Unit{"TiB", 1LL << 40},
                                   Unit{"kB", 1000},
                                   Unit{"MB", 1'000'000},
                                   Unit{"GB", 1'000'000'000},
                                   Unit{"TB", 1'000'000'000'000}};
constexpr std::array duration_units = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                       Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};

Result<int64_t> parse_with_unit(std::string_view text, std::span<const Unit> units, std::string_view wanted) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (error == std::errc() && number >= 0)
    for (const Unit& known : units)
      if (known.name == unit && number <= std::numeric_limits<int64_t>::max() / known.factor)
        return number * known.factor;
  return fail(Reason::bad_request, fmt::format("must be {}, not '{}'", wanted, text));
}

}  // namespace

Result<bool> parse_flag(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return fail(Reason::bad_request, fmt::format("must be true or false, not '{}'", text));
}

Result<int64_t> parse_count(std::string_view text) {
  int64_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last)
    return fail(Reason::bad_request, fmt::format("must be a whole number, not '{}'", text));
  return number;
}

Result<uint64_t> parse_bytes(std::string_view text) {
  TRY(const int64_t bytes, parse_with_unit(text, byte_units, "a size like 512MiB"));
  return static_cast<uint64_t>(bytes);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  TRY(const int64_t milliseconds, parse_with_unit(text, duration_units, "a duration like 30s"));
  return std::chrono::milliseconds(milliseconds);
}

std::string format_duration(std::chrono::milliseconds duration) {
  const int64_t milliseconds = duration.count();
  for (size_t i = duration_units.size(); i-- > 0;)
    if (milliseconds != 0 && milliseconds % duration_units[i].factor == 0)
      return fmt::format("{}{}", milliseconds / duration_units[i].factor, duration_units[i].name);
  return "0s";
}

}  // namespace holdfast
