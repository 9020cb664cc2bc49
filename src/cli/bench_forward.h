#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> bench_forward_commands();

}  // namespace holdfast::cli
