#include <csignal>
#include <string_view>
#include <vector>

#include "app/program.h"
#include "app/terminal_world.h"
#include "cli/command.h"

int main(int argc, char** argv, char** environment_block) {
  using namespace holdfast;
  std::signal(SIGPIPE, SIG_IGN);  // A reader that left is an error of that write, not the end of the program.
  const auto world = app::make_terminal_world(environment_block);
  std::vector<cli::Command> commands = app::serve_commands();
  for (cli::Command& command : cli::commands()) commands.push_back(std::move(command));
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  return cli::dispatch(commands, *world, arguments);
}
