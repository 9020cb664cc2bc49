#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> package_commands();

}  // namespace holdfast::cli
