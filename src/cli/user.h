#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> user_commands();

}  // namespace holdfast::cli
