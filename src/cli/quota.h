#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// quota set, list.
std::vector<Command> quota_commands();

}  // namespace holdfast::cli
