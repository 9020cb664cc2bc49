#pragma once

#include <cstdint>
#include <optional>

#include "io/disk.h"

namespace holdfast::io {

// What of a control group's page cache counts as free: what nobody has read twice, or all that the kernel
// could give up, be it at the cost of reading it again.
enum class PageCache : uint8_t { inactive, all };

// The bytes of memory that this process may still take: the machine's MemAvailable, or less where the control
// group that it is in, or one above it, has a limit (version 2; Documentation/admin-guide/cgroup-v2.rst).
// `proc` and `control_groups` are /proc and /sys/fs/cgroup. Nothing where the machine does not tell.
std::optional<uint64_t> free_memory(Disk& proc, Disk& control_groups, PageCache cache);

}  // namespace holdfast::io
