#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// batch run|list|cancel: rows of a data set or a file through a model, as batches that the server runs by
// itself.
std::vector<Command> batch_commands();

}  // namespace holdfast::cli
