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

}  // namespace holdfast::cli
