#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cli/command.h"
#include "io/disk.h"
#include "model/backend.h"
#include "serve/capabilities.h"

namespace holdfast::cli {

// Of this machine, as `proc` ("/proc" as a Disk) tells, and of these runtimes, the first of which is what
// endpoints run on.
serve::Capabilities find_capabilities(io::Disk& proc,
                                      std::span<const std::unique_ptr<model::Backend>> backends);

// The same of what a server's endpoints run on.
serve::Capabilities serving_capabilities(io::Disk& proc);

// capabilities.
std::vector<Command> capabilities_commands();

}  // namespace holdfast::cli
