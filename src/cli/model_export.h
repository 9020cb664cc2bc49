#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> model_export_commands();

}  // namespace holdfast::cli
