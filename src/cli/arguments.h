#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast::cli {

enum class FlagKind : uint8_t {
  plain,     // --json
  value,     // --data DIR or --data=DIR; given twice, the last wins.
  repeated,  // --scope A --scope B
};
struct Flag {
  std::string_view name;  // With its dashes.
  FlagKind kind = FlagKind::value;
};

// A command's words, sorted into flags and the rest. bad_request names what is unknown, missing or too much.
class Arguments {
 public:
  struct Rest {
    size_t least = 0, most = 0;
    std::string_view names;  // "NAME" or "ORG USER", for the message.
  };
  static Result<Arguments> parse(std::span<const std::string_view> words, std::span<const Flag> flags,
                                 const Rest& rest);

  bool has(std::string_view flag) const;
  std::optional<std::string> value(std::string_view flag) const;
  std::string value_or(std::string_view flag, std::string_view fallback) const;
  std::vector<std::string> values(std::string_view flag) const;
  // A whole number within the bounds; nullopt when the flag is not there.
  Result<std::optional<int64_t>> number(std::string_view flag, int64_t least, int64_t most) const;
  const std::vector<std::string>& rest() const { return rest_; }

 private:
  std::vector<std::pair<std::string, std::string>> given_;
  std::vector<std::string> rest_;
};

// "90s", "25h", "30d", "2w"; seconds without a letter. bad_request otherwise, and beyond 100 years.
Result<int64_t> parse_span_seconds(std::string_view text);

}  // namespace holdfast::cli
