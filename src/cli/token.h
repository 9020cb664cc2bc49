#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> token_commands();

}  // namespace holdfast::cli
