#include "client/retry.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace holdfast::client {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int64_t seconds_most = 1'000'000'000;

bool digits(std::string_view text, int& out) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  return std::from_chars(text.data(), text.data() + text.size(), out).ec == std::errc();
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<WallTime> read_date(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" || text[16] != ' ' ||
      text[19] != ':' || text[22] != ':')
    return std::nullopt;
  const auto* month = std::find(months.begin(), months.end(), text.substr(8, 3));
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  if (month == months.end() || !digits(text.substr(5, 2), day) || !digits(text.substr(12, 4), year) ||
      !digits(text.substr(17, 2), hour) || !digits(text.substr(20, 2), minute) ||
      !digits(text.substr(23, 2), second))
    return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return WallTime{std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                  std::chrono::seconds(second)};
}

bool worth_another(int status) { return status == 0 || status == 429 || status >= 500; }

}  // namespace

Repeatable repeatable_method(std::string_view method) {
  static constexpr std::string_view known[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  return std::find(std::begin(known), std::end(known), method) != std::end(known) ? Repeatable::yes
                                                                                  : Repeatable::no;
}

std::optional<milliseconds> read_retry_after(std::string_view value, WallTime now) {
  int64_t seconds = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (problem == std::errc() && end == value.data() + value.size() && seconds >= 0 && seconds <= seconds_most)
    return std::chrono::seconds(seconds);
  const auto date = read_date(value);
  if (!date) return std::nullopt;
  return std::max(milliseconds(0), *date - now);
}

std::optional<milliseconds> retry_pause(const Retries& retries, Repeatable repeatable, int attempt,
                                        int status, std::string_view retry_after, WallTime now,
                                        Random& random) {
  if (repeatable == Repeatable::no || !worth_another(status) || attempt >= retries.attempts_max)
    return std::nullopt;
  milliseconds pause = retries.first_pause;
  for (int i = 1; i < attempt && pause < retries.pause_max; ++i) pause *= 2;
  pause = std::min(pause, retries.pause_max);
  const auto half = static_cast<uint64_t>(std::max<int64_t>(pause.count() / 2, 1));
  pause -= milliseconds(static_cast<int64_t>(random.below(half)));
  if (const auto asked = read_retry_after(retry_after, now)) {
    if (*asked > retries.pause_max) return std::nullopt;
    pause = std::max(pause, *asked);
  }
  return pause;
}

}  // namespace holdfast::client
