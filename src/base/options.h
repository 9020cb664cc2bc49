#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/option_value.h"
#include "base/result.h"

namespace holdfast {

enum class OptionShown : uint8_t { plain, secret };

// One row of the one table of options (app/ has it). The name is the key in the file ("serve.queue-max" is
// queue-max in [serve]), the flag (--serve.queue-max) and, in capitals with '_', the environment variable
// (HOLDFAST_SERVE_QUEUE_MAX). The section of the docs is what stands before the dot.
struct OptionRow {
  std::string_view name;
  OptionKind kind = OptionKind::text;
  std::string_view fallback = {};  // As a user would write it; passes the check.
  std::string_view help = {};      // One sentence.
  int64_t least = 0;               // Of a count, of bytes, of a duration in milliseconds.
  int64_t most = std::numeric_limits<int64_t>::max();
  std::string_view choices = {};  // Of a choice: "hub|serve|worker".
  OptionShown shown = OptionShown::plain;
};

using OptionPairs = std::vector<std::pair<std::string, std::string>>;

// Where values come from, the strongest first.
struct OptionSources {
  OptionPairs flags = {};  // Without "--". The last of equal names wins.
  std::function<std::optional<std::string>(const std::string&)> environment = {};  // May be empty.
  OptionPairs file = {};                                                           // Of parse_option_file.
};

// The checked value of every option of a table. Immutable; app/ reads it once into the rooms' own structs.
// Asking for a name that the table lacks, or as another kind, is a broken invariant.
class Options {
 public:
  // bad_request, naming option, source and what is allowed; an unknown name is answered with the nearest.
  static Result<Options> read(std::span<const OptionRow> table, const OptionSources& sources);

  const std::string& text(std::string_view name) const;  // Of text and choice.
  bool flag(std::string_view name) const;
  int64_t count(std::string_view name) const;
  uint64_t bytes(std::string_view name) const;
  std::chrono::milliseconds duration(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  // "flag", "environment", "file" or "default": for `doctor`.
  std::string_view source(std::string_view name) const;
  // Every option as NAME = VALUE (source), secrets as "(hidden)".
  std::string told() const;

 private:
  struct Value {
    const OptionRow* row;
    std::string text;
    std::string_view source;
  };

  Options() = default;
  const Value& value(std::string_view name, OptionKind kind) const;

  std::map<std::string_view, Value> values_;
};

// "serve.queue-max" is HOLDFAST_SERVE_QUEUE_MAX.
std::string option_environment_name(std::string_view name);

// What --help prints and what the docs page says, section by section in the order of the table.
std::string options_help(std::span<const OptionRow> table);
std::string options_page(std::span<const OptionRow> table);

// A TOML file as pairs: names with dots for tables, arrays of words with commas. bad_request with its line.
Result<OptionPairs> parse_option_file(std::string_view text);

}  // namespace holdfast
