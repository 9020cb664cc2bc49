#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// `holdfast repo changes` and `repo mask`: what differs between two revisions, and a revision without
// personal data.
std::vector<Command> repo_review_commands();

}  // namespace holdfast::cli
