#pragma once

#include <map>
#include <string>

#include "cli/command.h"

namespace holdfast::cli {

// A world for tests: input and environment are given, output is kept.
class RecordingWorld final : public World {
 public:
  std::string input, output, complaints;
  std::map<std::string, std::string> variables;
  ManualClock manual_clock;
  SeededRandom seeded_random{1};

  const Clock& clock() override { return manual_clock; }
  Random& random() override { return seeded_random; }
  std::optional<std::string> environment(const std::string& name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  void print(std::string_view text) override { output += text; }
  void complain(std::string_view text) override { complaints += text; }
  Result<std::optional<std::string>> read_line(size_t bytes_max) override {
    if (input.empty()) return std::optional<std::string>();
    const size_t end = std::min(input.find('\n'), input.size());
    if (end > bytes_max) return fail(Reason::body_too_large, "the input has a line that is too long");
    std::optional<std::string> line = input.substr(0, end);
    input.erase(0, std::min(end + 1, input.size()));
    return line;
  }
  Result<std::string> read_all(size_t bytes_max) override {
    if (input.size() > bytes_max) return fail(Reason::body_too_large, "the input is too long");
    return std::exchange(input, {});
  }
  bool output_is_terminal() const override { return false; }
};

}  // namespace holdfast::cli
