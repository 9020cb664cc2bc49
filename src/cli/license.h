#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// `license explain`, `judge` and `measure`: what licences say, by rule. Not legal advice.
std::vector<Command> license_commands();

}  // namespace holdfast::cli
