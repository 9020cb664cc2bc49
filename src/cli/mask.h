#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> mask_commands();

}  // namespace holdfast::cli
