#include "jinja/strftime.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace holdfast::jinja {
namespace {

constexpr size_t format_bytes_max = 4096;
// The letters whose meaning is ISO C's or glibc's; all else after % stays as it is.
constexpr std::string_view letters = "aAbBcCdDeFgGhHIjklmMnpPrRStTuUVwWxXyY%";

std::tm fields_of(WallTime moment) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(moment);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(seconds - day);
  std::tm out{};
  out.tm_year = static_cast<int>(date.year()) - 1900;
  out.tm_mon = static_cast<int>(static_cast<unsigned>(date.month())) - 1;
  out.tm_mday = static_cast<int>(static_cast<unsigned>(date.day()));
  out.tm_hour = static_cast<int>(time.hours().count());
  out.tm_min = static_cast<int>(time.minutes().count());
  out.tm_sec = static_cast<int>(time.seconds().count());
  out.tm_wday = static_cast<int>(std::chrono::weekday(day).c_encoding());
  out.tm_yday =
      static_cast<int>((day - std::chrono::sys_days(date.year() / std::chrono::January / 1)).count());
  return out;
}

}  // namespace

Result<std::string> format_moment(WallTime moment, std::string_view format) {
  if (format.size() > format_bytes_max)
    return fail(Reason::bad_request, "the format of strftime_now is too long");
  const std::tm fields = fields_of(moment);
  std::string out;
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%' || at + 1 == format.size()) {
      out += format[at];
      continue;
    }
    size_t end = at + 1;
    if (end + 1 < format.size() && std::string_view("-_0^#").find(format[end]) != std::string_view::npos)
      ++end;
    const char letter = format[end];
    if (letter == 'z' || letter == 'Z') {
      // A moment without a zone.
    } else if (letter == 'f') {
      const auto rest = (moment - std::chrono::floor<std::chrono::seconds>(moment)).count();
      char text[16];
      std::snprintf(text, sizeof(text), "%06d", static_cast<int>(rest) * 1000);
      out += text;
    } else if (letter == 's') {
      out += std::to_string(std::chrono::floor<std::chrono::seconds>(moment).time_since_epoch().count());
    } else if (letters.find(letter) == std::string_view::npos) {
      out += format.substr(at, end - at + 1);
    } else {
      const std::string one(format.substr(at, end - at + 1));
      std::array<char, 256> text{};
      out.append(text.data(), std::strftime(text.data(), text.size(), one.c_str(), &fields));
    }
    at = end;
  }
  return out;
}

}  // namespace holdfast::jinja
