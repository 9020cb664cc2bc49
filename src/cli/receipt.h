#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// receipt verify.
std::vector<Command> receipt_commands();

}  // namespace holdfast::cli
