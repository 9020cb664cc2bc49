#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace holdfast::cli {

// What a command may touch of the world; main hands it the real one, tests a recording one. Used by one
// thread.
class World {
 public:
  virtual ~World() = default;
  virtual const Clock& clock() = 0;
  virtual Random& random() = 0;
  virtual std::optional<std::string> environment(const std::string& name) const = 0;
  virtual void print(std::string_view text) = 0;     // To standard output, as it is.
  virtual void complain(std::string_view text) = 0;  // To standard error, as it is.
  // Standard input: one line without its newline, nullopt at the end; or all of it. Longer than the bound is
  // an error.
  virtual Result<std::optional<std::string>> read_line(size_t bytes_max) = 0;
  virtual Result<std::string> read_all(size_t bytes_max) = 0;
  virtual bool output_is_terminal() const = 0;
};

// Exit codes of every command.
inline constexpr int exit_done = 0, exit_failed = 1, exit_misused = 2;

// A row of the table that dispatch, help and docs are made of. The words are one verb ("serve") or a noun and
// a verb
// ("user create"); the longest match wins.
struct Command {
  std::string words;
  std::string arguments;                                              // "NAME [--email E] [--admin]"
  std::string summary;                                                // One sentence.
  std::string example;                                                // A whole command line.
  std::function<int(World&, std::span<const std::string_view>)> run;  // The words are already taken off.
};

// Every command of this room; app/ adds the ones that need the whole program.
std::vector<Command> commands();

// Runs the command that the arguments (without the program's name) name. Prints help for `help`, `--help`,
// none.
int dispatch(std::span<const Command> commands, World& world, std::span<const std::string_view> arguments);

// Reports an error as every command does: "holdfast: MESSAGE" on standard error, or {"error":…} on standard
// output when json was asked. Returns exit_failed, or exit_misused for bad_request.
enum class Output : uint8_t { people, json };
int report(World& world, const Error& error, Output output = Output::people);

}  // namespace holdfast::cli
