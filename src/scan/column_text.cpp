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

// Up to 38 digits.
using Digits = __int128;
constexpr size_t digits_bytes_max = sizeof(Digits);

// Two's complement, the most significant byte first; nothing for more than fits.
std::optional<Digits> number_of_bytes(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > digits_bytes_max) return std::nullopt;
  auto number = static_cast<unsigned __int128>(0);
  if ((static_cast<unsigned char>(bytes.front()) & 0x80U) != 0) number = ~number;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return static_cast<Digits>(number);
}

std::optional<std::string> decimal_text(std::optional<Digits> digits, uint32_t scale) {
  if (!digits) return std::nullopt;
  Digits number = *digits;
  for (uint32_t i = 0; i < scale; ++i) {
    if (number % 10 != 0) return std::nullopt;  // An amount of something.
    number /= 10;
  }
  std::string out;
  const bool below = number < 0;
  do {
    const auto digit = static_cast<int>(number % 10);
    out.push_back(static_cast<char>('0' + (digit < 0 ? -digit : digit)));
    number /= 10;
  } while (number != 0);
  if (below) out.push_back('-');
  std::ranges::reverse(out);
  return out;
}

constexpr size_t old_moment_bytes = 12, old_day_at = 8;
constexpr int64_t julian_epoch = 2'440'588;  // The Julian day of the first of January 1970.

std::optional<std::string> old_day_text(std::string_view moment) {
  if (moment.size() != old_moment_bytes) return std::nullopt;
  uint32_t day = 0;
  for (size_t i = old_moment_bytes; i > old_day_at; --i)
    day = day << 8 | static_cast<unsigned char>(moment[i - 1]);
  return day_text(int64_t{day} - julian_epoch);
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

std::optional<std::string> column_text(const codec::ParquetLeafValues& column,
                                       const codec::ParquetValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (column.kind == codec::ParquetKind::decimal) return decimal_text(number_of_bytes(*text), column.scale);
    if (column.kind == codec::ParquetKind::old_moment) return old_day_text(*text);
    return column.length == 0 ? *text : text->substr(0, text->find_last_not_of(' ') + 1);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    if (!(std::abs(*number) < whole_max) || std::trunc(*number) != *number) return std::nullopt;
    return fmt::format("{}", static_cast<int64_t>(*number));
  }
  const auto* whole = std::get_if<int64_t>(&value);
  if (whole == nullptr) return std::nullopt;
  switch (column.kind) {
    case codec::ParquetKind::date:
      return day_text(*whole);
    case codec::ParquetKind::milliseconds:
      return day_text(day_of(*whole, day_milliseconds));
    case codec::ParquetKind::microseconds:
      return day_text(day_of(*whole, day_milliseconds * 1'000));
    case codec::ParquetKind::nanoseconds:
      return day_text(day_of(*whole, day_milliseconds * 1'000'000));
    case codec::ParquetKind::decimal:
      return decimal_text(Digits{*whole}, column.scale);
    case codec::ParquetKind::text:
    case codec::ParquetKind::truth:
    case codec::ParquetKind::whole:
    case codec::ParquetKind::real:
    case codec::ParquetKind::old_moment:
    case codec::ParquetKind::other:
      return fmt::format("{}", *whole);
  }
  return std::nullopt;
}

}  // namespace holdfast::scan
