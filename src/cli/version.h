#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::string_view program_version();
std::vector<Command> version_commands();

}  // namespace holdfast::cli
