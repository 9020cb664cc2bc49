#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> profile_commands();

}  // namespace holdfast::cli
