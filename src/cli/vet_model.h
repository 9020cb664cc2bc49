#pragma once

#include "cli/command.h"

namespace holdfast::cli {

// vet model: the search for a Trojan's trigger in a classifier.
Command vet_model_command();

}  // namespace holdfast::cli
