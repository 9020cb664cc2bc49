#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// doctor.
std::vector<Command> doctor_commands();

}  // namespace holdfast::cli
