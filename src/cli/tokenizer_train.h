#pragma once

#include "cli/command.h"

namespace holdfast::cli {

Command tokenizer_train_command();

}  // namespace holdfast::cli
