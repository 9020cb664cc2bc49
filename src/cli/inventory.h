#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// inventory.
std::vector<Command> inventory_commands();

}  // namespace holdfast::cli
