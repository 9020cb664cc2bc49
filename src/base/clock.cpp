#include "base/clock.h"

#include <fmt/format.h>

#include <charconv>

namespace holdfast {

std::chrono::milliseconds SystemClock::now() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

WallTime SystemClock::wall() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string format_time(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count(), clock.subseconds().count());
}

Result<WallTime> parse_time(std::string_view text) {
  const Error bad =
      fail(Reason::bad_request, fmt::format("'{}' is not a time like 2026-11-21T03:40:31.007Z", text));
  if (text.size() < 20 || text.back() != 'Z') return bad;
  auto number = [&](size_t at, size_t digits, char after) -> int {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + digits, value);
    if (error != std::errc{} || end != text.data() + at + digits || *end != after || value < 0) return -1;
    return value;
  };
  const int year = number(0, 4, '-'), month = number(5, 2, '-'), day = number(8, 2, 'T');
  const int hour = number(11, 2, ':'), minute = number(14, 2, ':'), second = number(17, 2, text[19]);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60)
    return bad;
  int millis = 0;
  if (text[19] == '.') {
    const std::string_view fraction = text.substr(20, text.size() - 21);
    if (fraction.empty() || fraction.size() > 9) return bad;
    int scale = 100;
    for (char c : fraction) {
      if (c < '0' || c > '9') return bad;
      millis += (c - '0') * scale;
      scale /= 10;
    }
  } else if (text.size() != 20) {
    return bad;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{unsigned(month)},
                                         std::chrono::day{unsigned(day)}};
  if (!date.ok()) return bad;
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + std::chrono::milliseconds{millis};
}

}  // namespace holdfast
