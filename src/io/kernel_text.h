#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/disk.h"

// Files that the kernel writes when they are read (/proc, /sys), which have no size to be read by.
namespace holdfast::io {

// Up to 16 KiB of one; nothing where it cannot be read.
std::optional<std::string> read_kernel_text(Disk& disk, const Path& path);

// The number at the beginning of a text, behind blanks.
std::optional<uint64_t> number_of(std::string_view text);

// The number behind "NAME" at the beginning of a line.
std::optional<uint64_t> field_of(std::string_view text, std::string_view name);

}  // namespace holdfast::io
