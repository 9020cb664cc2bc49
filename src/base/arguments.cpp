#include "base/arguments.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/nearest_word.h"

namespace holdfast {
namespace {

const FlagRow* find_flag(std::span<const FlagRow> flags, std::string_view name) {
  for (const FlagRow& row : flags)
    if (row.name == name || (!row.letter.empty() && row.letter == name)) return &row;
  return nullptr;
}

Error unknown_flag(std::span<const FlagRow> flags, std::string_view name) {
  std::vector<std::string_view> known;
  for (const FlagRow& row : flags) known.push_back(row.name);
  const std::string_view nearest = nearest_word(name, known);
  std::string message = fmt::format("there is no flag '{}'", name);
  if (!nearest.empty()) message += fmt::format("; did you mean '{}'?", nearest);
  return fail(Reason::bad_request, std::move(message));
}

}  // namespace

Result<Arguments> Arguments::parse(const CommandLine& line, std::span<const std::string_view> words) {
  Arguments arguments;
  bool only_positionals = false;
  while (!words.empty()) {
    const std::string_view word = words.front();
    words = words.subspan(1);
    if (only_positionals || word == "-" || !word.starts_with('-')) {
      arguments.positionals_.push_back(word);
      continue;
    }
    if (word == "--") {
      only_positionals = true;
      continue;
    }
    const size_t equals = std::min(word.find('='), word.size());
    const std::string_view name = word.substr(0, equals);
    const FlagRow* row = find_flag(line.flags, name);
    if (row == nullptr) return unknown_flag(line.flags, name);
    if (row->times == FlagRow::Times::once && arguments.has(row->name))
      return fail(Reason::bad_request, fmt::format("{} is given twice", row->name));
    std::string_view value;
    if (row->value.empty()) {
      if (equals < word.size()) return fail(Reason::bad_request, fmt::format("{} takes no value", row->name));
    } else if (equals < word.size()) {
      value = word.substr(equals + 1);
    } else {
      // A value may begin with '-', a negative number say, but not look like a flag of this command.
      if (words.empty() || words.front() == "--" || find_flag(line.flags, words.front()) != nullptr)
        return fail(Reason::bad_request, fmt::format("{} needs a value: {}", row->name, row->value));
      value = words.front();
      words = words.subspan(1);
    }
    arguments.flags_.emplace_back(row->name, value);
  }
  const size_t count = arguments.positionals_.size();
  if (count < line.positionals_min)
    return fail(Reason::bad_request, fmt::format("{} argument{} needed, {} given", line.positionals_min,
                                                 line.positionals_min == 1 ? " is" : "s are", count));
  if (count > line.positionals_max)
    return fail(Reason::bad_request,
                fmt::format("'{}' is one argument too many", arguments.positionals_[line.positionals_max]));
  return arguments;
}

bool Arguments::has(std::string_view flag) const { return value(flag).has_value(); }

std::optional<std::string_view> Arguments::value(std::string_view flag) const {
  for (const auto& [name, text] : flags_)
    if (name == flag) return text;
  return std::nullopt;
}

std::string_view Arguments::value_or(std::string_view flag, std::string_view fallback) const {
  return value(flag).value_or(fallback);
}

std::vector<std::string_view> Arguments::all(std::string_view flag) const {
  std::vector<std::string_view> values;
  for (const auto& [name, text] : flags_)
    if (name == flag) values.push_back(text);
  return values;
}

std::string flags_help(std::span<const FlagRow> flags) {
  std::string text;
  for (const FlagRow& row : flags) {
    std::string left(row.name);
    if (!row.letter.empty()) left = fmt::format("{}, {}", row.letter, left);
    if (!row.value.empty()) left += fmt::format(" {}", row.value);
    text += fmt::format("  {:<28}  {}\n", left, row.help);
  }
  return text;
}

}  // namespace holdfast
