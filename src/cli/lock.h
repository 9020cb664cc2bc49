#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "serve/lock_file.h"

namespace holdfast::cli {

// "holdfast 1.2 avx512_bf16": what locks pin and receipts name.
std::string runtime_name();

// The same, with the libraries that answers depend on.
serve::Runtime runtime();

// lock write, verify.
std::vector<Command> lock_commands();

}  // namespace holdfast::cli
