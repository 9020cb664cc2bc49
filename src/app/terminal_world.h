#pragma once

#include <memory>

#include "cli/command.h"

namespace holdfast::app {

// The process's own streams, clock and environment. `environment_block` is main's third argument; it is
// borrowed.
std::unique_ptr<cli::World> make_terminal_world(char** environment_block);

}  // namespace holdfast::app
