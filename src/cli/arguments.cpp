#include "cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace holdfast::cli {

Result<Arguments> Arguments::parse(std::span<const std::string_view> words, std::span<const Flag> flags,
                                   const Rest& rest) {
  Arguments parsed;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--") {
      parsed.rest_.insert(parsed.rest_.end(), words.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          words.end());
      break;
    }
    if (!word.starts_with("--") || word.size() == 2) {
      parsed.rest_.emplace_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const auto flag =
        std::find_if(flags.begin(), flags.end(), [&](const Flag& known) { return known.name == name; });
    if (flag == flags.end())
      return fail(Reason::bad_request,
                  fmt::format("there is no option {}; --help shows those there are", name));
    std::string value;
    if (flag->kind == FlagKind::plain) {
      if (equals != std::string_view::npos)
        return fail(Reason::bad_request, fmt::format("{} takes no value", name));
    } else if (equals != std::string_view::npos) {
      value = word.substr(equals + 1);
    } else {
      if (i + 1 == words.size()) return fail(Reason::bad_request, fmt::format("{} needs a value", name));
      value = words[++i];
    }
    parsed.given_.emplace_back(name, std::move(value));
  }
  if (parsed.rest_.size() < rest.least)
    return fail(Reason::bad_request,
                fmt::format("{} missing; --help shows how it goes",
                            rest.names.empty() ? "an argument is" : fmt::format("{} is", rest.names)));
  if (parsed.rest_.size() > rest.most)
    return fail(Reason::bad_request, fmt::format("'{}' is one argument too many", parsed.rest_[rest.most]));
  return parsed;
}

bool Arguments::has(std::string_view flag) const { return value(flag).has_value(); }

std::optional<std::string> Arguments::value(std::string_view flag) const {
  for (auto given = given_.rbegin(); given != given_.rend(); ++given)
    if (given->first == flag) return given->second;
  return std::nullopt;
}

std::string Arguments::value_or(std::string_view flag, std::string_view fallback) const {
  return value(flag).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
  std::vector<std::string> all;
  for (const auto& [name, value] : given_)
    if (name == flag) all.push_back(value);
  return all;
}

Result<std::optional<int64_t>> Arguments::number(std::string_view flag, int64_t least, int64_t most) const {
  const auto text = value(flag);
  if (!text) return std::optional<int64_t>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size() || number < least || number > most)
    return fail(Reason::bad_request,
                fmt::format("{} is a whole number from {} to {}, not '{}'", flag, least, most, *text));
  return std::optional(number);
}

Result<int64_t> parse_span_seconds(std::string_view text) {
  const Error bad =
      fail(Reason::bad_request, fmt::format("'{}' is no span of time like 90s, 25h or 30d", text));
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc{} || number < 0) return bad;
  static constexpr std::pair<std::string_view, int64_t> units[] = {
      {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}, {"w", 604'800}};
  for (const auto& [name, seconds] : units)
    if (unit == name)
      return number > 3'155'760'000 / seconds ? Result<int64_t>(bad) : Result<int64_t>(number * seconds);
  return bad;
}

}  // namespace holdfast::cli
