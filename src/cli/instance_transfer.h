#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// `instance export` and `instance import`: everything people put in, as plain git, files and JSON.
std::vector<Command> instance_commands();

}  // namespace holdfast::cli
