#pragma once

#include <memory>

#include "io/disk.h"
#include "serve/switch_memory.h"

namespace holdfast::app {

// The memory of this machine, of the control group that the server is in (version 2), and, where `limit` is
// not 0, of that limit for all workers together: the least of them. What workers take is read from `proc`
// ("/proc" as a Disk), where they are this process's children.
std::unique_ptr<serve::MemoryRoom> make_machine_memory(io::Disk& proc, io::Disk& control_groups,
                                                       uint64_t limit, int64_t parent);

}  // namespace holdfast::app
