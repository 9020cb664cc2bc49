#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast {

// One flag of a command.
struct FlagRow {
  enum class Times : uint8_t { once, many };

  std::string_view name;        // "--email".
  std::string_view value = {};  // What help calls its value; empty: it has none.
  std::string_view help = {};   // One sentence.
  Times times = Times::once;
  std::string_view letter = {};  // "-o", for the few flags that people know by one.
};

// What a command takes. Each command has a table of its own.
struct CommandLine {
  std::span<const FlagRow> flags;
  size_t positionals_min = 0, positionals_max = 0;
};

// The words after a command's name, read by its table: `--name value`, `--name=value`, `-o value`; words that
// do not begin with '-' (and "-" itself) are positional, and so is everything after "--". Views live as long
// as the words.
class Arguments {
 public:
  // bad_request for an unknown flag (with the nearest), a missing or superfluous value, a flag given twice,
  // too few or too many positionals.
  static Result<Arguments> parse(const CommandLine& line, std::span<const std::string_view> words);

  bool has(std::string_view flag) const;
  std::optional<std::string_view> value(std::string_view flag) const;
  std::string_view value_or(std::string_view flag, std::string_view fallback) const;
  std::vector<std::string_view> all(std::string_view flag) const;
  const std::vector<std::string_view>& positionals() const { return positionals_; }
  const std::vector<std::pair<std::string_view, std::string_view>>& flags() const { return flags_; }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> flags_;  // In the order given.
  std::vector<std::string_view> positionals_;
};

// The lines of --help about the flags.
std::string flags_help(std::span<const FlagRow> flags);

}  // namespace holdfast
