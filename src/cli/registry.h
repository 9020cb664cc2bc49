#pragma once

#include "cli/command.h"

namespace holdfast::cli {

// registry check|import|export, release …, gate, whatis, replay, incident …: the registry by its public API.
std::vector<Command> registry_commands();
std::vector<Command> release_commands();
std::vector<Command> endpoint_commands();

}  // namespace holdfast::cli
