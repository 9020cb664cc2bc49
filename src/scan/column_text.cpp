#include "scan/column_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

namespace holdfast::scan {
namespace {

constexpr std::array<std::pair<char, char>, 3> column_signs{{{'\n', '\x1e'}, {'\r', '\x1d'}, {'\t', '\x1f'}}};

constexpr double whole_max = 9007199254740992.0;  // Beyond 2^53 a double has no last digit.
constexpr int64_t days_max = 3'000'000;           // Years of four digits, and some.
constexpr int64_t day_milliseconds = int64_t{24} * 3'600 * 1'000;

std::optional<std::string> day_text(int64_t days) {
  if (days < -days_max || days > days_max) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

int64_t day_of(int64_t moment, int64_t a_day) {
  const int64_t days = moment / a_day;
  return moment % a_day < 0 ? days - 1 : days;
}

}  // namespace

std::string as_column_line(std::string_view value) {
  std::string out(value);
  for (const auto& [from, to] : column_signs) std::ranges::replace(out, from, to);
  return out;
}
std::string from_column_line(std::string_view line) {
  std::string out(line);
  for (const auto& [to, from] : column_signs) std::ranges::replace(out, from, to);
  return out;
}

std::optional<std::string> column_text(codec::ParquetKind kind, const codec::ParquetValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) {
    if (!(std::abs(*number) < whole_max) || std::trunc(*number) != *number) return std::nullopt;
    return fmt::format("{}", static_cast<int64_t>(*number));
  }
  const auto* whole = std::get_if<int64_t>(&value);
  if (whole == nullptr) return std::nullopt;
  switch (kind) {
    case codec::ParquetKind::date:
      return day_text(*whole);
    case codec::ParquetKind::milliseconds:
      return day_text(day_of(*whole, day_milliseconds));
    case codec::ParquetKind::microseconds:
      return day_text(day_of(*whole, day_milliseconds * 1'000));
    case codec::ParquetKind::nanoseconds:
      return day_text(day_of(*whole, day_milliseconds * 1'000'000));
    case codec::ParquetKind::text:
    case codec::ParquetKind::truth:
    case codec::ParquetKind::whole:
    case codec::ParquetKind::real:
    case codec::ParquetKind::other:
      return fmt::format("{}", *whole);
  }
  return std::nullopt;
}

}  // namespace holdfast::scan
