#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// `scan`: the checks of every push, on files of this machine.
std::vector<Command> scan_commands();

}  // namespace holdfast::cli
