#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> chat_commands();  // holdfast chat

}  // namespace holdfast::cli
