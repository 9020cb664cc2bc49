#include <csignal>
#include <string_view>
#include <vector>

#include "app/terminal_world.h"
#include "cli/command.h"

int main(int argc, char** argv, char** environment_block) {
  std::signal(SIGPIPE, SIG_IGN);  // A reader that left is an error of that write, not the end of the program.
  const auto world = holdfast::app::make_terminal_world(environment_block);
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  return holdfast::cli::dispatch(holdfast::cli::commands(), *world, arguments);
}
