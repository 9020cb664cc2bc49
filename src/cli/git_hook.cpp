#include "cli/git_hook.h"

#include <unistd.h>

#include "git/git_hook.h"

namespace holdfast::cli {

std::vector<Command> git_hook_commands() {
  auto run = [](World& world, std::span<const std::string_view> arguments) {
    if (arguments.size() != 1) {
      world.complain("holdfast: git-hook takes the name of one hook\n");
      return exit_misused;
    }
    return git::run_git_hook(
        arguments.front(), STDIN_FILENO, STDOUT_FILENO,
        [&world](const std::string& name) { return world.environment(name); },
        [&world](std::string_view text) { world.complain(text); });
  };
  return {{"git-hook", "pre-receive|proc-receive",
           "Asks the server about a push; git runs it, people need not.", "holdfast git-hook pre-receive",
           run}};
}

}  // namespace holdfast::cli
