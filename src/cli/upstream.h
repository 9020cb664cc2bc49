#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// `upstream …` and what a server does with them: `mirror status`, `mirror release`, `mirror sync`.
std::vector<Command> upstream_commands();

}  // namespace holdfast::cli
