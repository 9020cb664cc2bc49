#pragma once

#include <memory>
#include <string>

#include "io/posix_file.h"

namespace holdfast::io {

// A new, empty file that is written as streaming.h says. `name` is what messages call it.
std::unique_ptr<WriteFile> make_streaming_write_file(Descriptor descriptor, std::string name);
// Reads ahead of whoever goes from start to end, past the page cache where the file system can.
std::unique_ptr<ReadFile> make_streaming_read_file(Descriptor descriptor, std::string name);

}  // namespace holdfast::io
