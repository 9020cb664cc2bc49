#include "base/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/nearest_word.h"

namespace holdfast {
namespace {

constexpr std::string_view from_flag = "flag", from_environment = "environment", from_file = "file",
                           from_default = "default";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string told_number(const OptionRow& row, int64_t number) {
  return row.kind == OptionKind::duration ? format_duration(std::chrono::milliseconds(number))
                                          : std::to_string(number);
}

Status check_range(const OptionRow& row, int64_t number) {
  if (number >= row.least && number <= row.most) return Done{};
  if (row.most == std::numeric_limits<int64_t>::max())
    return fail(Reason::bad_request, fmt::format("must be at least {}", told_number(row, row.least)));
  return fail(Reason::bad_request,
              fmt::format("must be {} to {}", told_number(row, row.least), told_number(row, row.most)));
}

Status check(const OptionRow& row, std::string_view text) {
  switch (row.kind) {
    case OptionKind::text:
    case OptionKind::list:
      return Done{};
    case OptionKind::flag: {
      TRY([[maybe_unused]] const bool flag, parse_flag(text));
      return Done{};
    }
    case OptionKind::count: {
      TRY(const int64_t number, parse_count(text));
      return check_range(row, number);
    }
    case OptionKind::bytes: {
      TRY(const uint64_t bytes, parse_bytes(text));
      return check_range(row, static_cast<int64_t>(bytes));
    }
    case OptionKind::duration: {
      TRY(const auto duration, parse_duration(text));
      return check_range(row, duration.count());
    }
    case OptionKind::choice: {
      const auto words = split(row.choices, '|');
      if (std::find(words.begin(), words.end(), text) != words.end()) return Done{};
      return fail(Reason::bad_request, fmt::format("must be one of {}", fmt::join(words, ", ")));
    }
  }
  std::abort();
}

std::string_view section_of(std::string_view name) {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

Error unknown_option(std::string_view name, std::string_view source, std::span<const OptionRow> table) {
  std::vector<std::string_view> known;
  for (const OptionRow& row : table) known.push_back(row.name);
  const std::string_view nearest = nearest_word(name, known);
  std::string message = fmt::format("there is no option '{}' ({})", name, source);
  if (!nearest.empty()) message += fmt::format("; did you mean '{}'?", nearest);
  return fail(Reason::bad_request, std::move(message));
}

// What a value looks like, for people.
std::string form_of(const OptionRow& row) {
  switch (row.kind) {
    case OptionKind::text:
      return "TEXT";
    case OptionKind::flag:
      return "true|false";
    case OptionKind::count:
      return "NUMBER";
    case OptionKind::bytes:
      return "SIZE";
    case OptionKind::duration:
      return "DURATION";
    case OptionKind::choice:
      return std::string(row.choices);
    case OptionKind::list:
      return "A,B,…";
  }
  std::abort();
}

}  // namespace

std::string option_environment_name(std::string_view name) {
  std::string variable = "HOLDFAST_";
  for (char c : name)
    variable += c == '.' || c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return variable;
}

Result<Options> Options::read(std::span<const OptionRow> table, const OptionSources& sources) {
  Options options;
  for (const OptionRow& row : table) {
    CHECK(check(row, row.fallback).ok());
    CHECK(options.values_.emplace(row.name, Value{&row, std::string(row.fallback), from_default}).second);
  }
  const auto take = [&](const OptionPairs& pairs, std::string_view source) -> Status {
    for (const auto& [name, text] : pairs) {
      const auto found = options.values_.find(name);
      if (found == options.values_.end()) return unknown_option(name, source, table);
      found->second.text = text;
      found->second.source = source;
    }
    return Done{};
  };
  TRY_DONE(take(sources.file, from_file));
  for (auto& [name, value] : options.values_) {
    if (!sources.environment) break;
    auto text = sources.environment(option_environment_name(name));
    if (!text) continue;
    value.text = std::move(*text);
    value.source = from_environment;
  }
  TRY_DONE(take(sources.flags, from_flag));
  for (const auto& [name, value] : options.values_)
    if (auto good = check(*value.row, value.text); !good.ok())
      return fail(Reason::bad_request,
                  fmt::format("option '{}' ({}) {}", name, value.source,
                              value.row->shown == OptionShown::secret ? "has a value that is not allowed"
                                                                      : good.error().message));
  return options;
}

const Options::Value& Options::value(std::string_view name, OptionKind kind) const {
  const auto found = values_.find(name);
  CHECK(found != values_.end());
  const bool textual = kind == OptionKind::text && found->second.row->kind == OptionKind::choice;
  CHECK(found->second.row->kind == kind || textual);
  return found->second;
}

const std::string& Options::text(std::string_view name) const { return value(name, OptionKind::text).text; }
bool Options::flag(std::string_view name) const {
  return parse_flag(value(name, OptionKind::flag).text).value();
}
int64_t Options::count(std::string_view name) const {
  return parse_count(value(name, OptionKind::count).text).value();
}
uint64_t Options::bytes(std::string_view name) const {
  return parse_bytes(value(name, OptionKind::bytes).text).value();
}
std::chrono::milliseconds Options::duration(std::string_view name) const {
  return parse_duration(value(name, OptionKind::duration).text).value();
}
std::vector<std::string> Options::list(std::string_view name) const {
  std::vector<std::string> words;
  for (std::string_view word : split(value(name, OptionKind::list).text, ','))
    if (!word.empty()) words.emplace_back(word);
  return words;
}

std::string_view Options::source(std::string_view name) const {
  const auto found = values_.find(name);
  CHECK(found != values_.end());
  return found->second.source;
}

std::string Options::told() const {
  std::string text;
  for (const auto& [name, value] : values_) {
    const bool hidden = value.row->shown == OptionShown::secret && !value.text.empty();
    text += fmt::format("{} = {} ({})\n", name, hidden ? "(hidden)" : value.text, value.source);
  }
  return text;
}

std::string options_help(std::span<const OptionRow> table) {
  std::string text;
  std::string_view section;
  for (const OptionRow& row : table) {
    if (section_of(row.name) != section) text += '\n';
    section = section_of(row.name);
    text += fmt::format("  --{} {}\n        {}", row.name, form_of(row), row.help);
    if (!row.fallback.empty()) text += fmt::format(" [{}]", row.fallback);
    text += '\n';
  }
  return text;
}

std::string options_page(std::span<const OptionRow> table) {
  std::string text;
  std::string_view section = "none yet";
  for (const OptionRow& row : table) {
    if (section_of(row.name) != section) {
      section = section_of(row.name);
      text += fmt::format("{}## {}\n\n| option | value | default | what it does |\n|---|---|---|---|\n",
                          text.empty() ? "" : "\n", section.empty() ? "general" : section);
    }
    std::string form = form_of(row);
    for (size_t at = form.find('|'); at != std::string::npos; at = form.find('|', at + 2))
      form.insert(at, "\\");
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.name, form,
                        row.fallback.empty() ? "" : fmt::format("`{}`", row.fallback), row.help);
  }
  return text;
}

}  // namespace holdfast
