#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// fsck, gc, backup, restore: what an operator does with a data folder, beside a running server
// or not.
std::vector<Command> maintenance_commands();

}  // namespace holdfast::cli
