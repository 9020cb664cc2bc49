#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// git-hook: what the hooks of a push run (git/git_hook.h); not for people.
std::vector<Command> git_hook_commands();

}  // namespace holdfast::cli
