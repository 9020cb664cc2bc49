#include "cli/count_flag.h"

#include <fmt/format.h>

#include <charconv>

namespace holdfast::cli {

Result<size_t> read_count(std::string_view text, std::string_view flag, size_t most) {
  size_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || out == 0 || out > most)
    return fail(Reason::bad_request, fmt::format("{} is a number from 1 to {}", flag, most));
  return out;
}

Result<size_t> count_flag(const Arguments& arguments, std::string_view flag, size_t fallback, size_t most) {
  const auto text = arguments.value(flag);
  if (!text) return fallback;
  return read_count(*text, flag, most);
}

Result<std::chrono::milliseconds> seconds_flag(const Arguments& arguments, std::string_view flag,
                                               std::chrono::seconds fallback, std::chrono::seconds most) {
  const auto text = arguments.value(flag);
  if (!text) return std::chrono::milliseconds(fallback);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || end != text->data() + text->size() || !(seconds > 0) ||
      seconds > static_cast<double>(most.count()))
    return fail(Reason::bad_request, fmt::format("{} is a number of seconds up to {}", flag, most.count()));
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

}  // namespace holdfast::cli
