#include "app/terminal_world.h"

#include <unistd.h>

#include <cstdio>

namespace holdfast::app {
namespace {

class TerminalWorld final : public cli::World {
 public:
  explicit TerminalWorld(char** environment_block) : environment_block_(environment_block) {}

  const Clock& clock() override { return clock_; }
  Random& random() override { return random_; }

  std::optional<std::string> environment(const std::string& name) const override {
    for (char** entry = environment_block_; *entry != nullptr; ++entry) {
      const std::string_view pair = *entry;
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
        return std::string(pair.substr(name.size() + 1));
    }
    return std::nullopt;
  }

  void print(std::string_view text) override {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);  // Programs read us line by line through a pipe.
  }
  void complain(std::string_view text) override { std::fwrite(text.data(), 1, text.size(), stderr); }

  Result<std::optional<std::string>> read_line(size_t bytes_max) override {
    std::string line;
    for (int c = std::fgetc(stdin); c != EOF; c = std::fgetc(stdin)) {
      if (c == '\n') return std::optional(std::move(line));
      if (line.size() == bytes_max)
        return fail(Reason::body_too_large, "the input has a line that is too long");
      line += static_cast<char>(c);
    }
    if (line.empty()) return std::optional<std::string>();
    return std::optional(std::move(line));
  }

  Result<std::string> read_all(size_t bytes_max) override {
    std::string all;
    char piece[1 << 16];
    while (const size_t got = std::fread(piece, 1, sizeof piece, stdin)) {
      if (all.size() + got > bytes_max) return fail(Reason::body_too_large, "the input is too long");
      all.append(piece, got);
    }
    return all;
  }

  bool output_is_terminal() const override { return ::isatty(STDOUT_FILENO) == 1; }

 private:
  char** environment_block_;
  SystemClock clock_;
  SystemRandom random_;
};

}  // namespace

std::unique_ptr<cli::World> make_terminal_world(char** environment_block) {
  return std::make_unique<TerminalWorld>(environment_block);
}

}  // namespace holdfast::app
