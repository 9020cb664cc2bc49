#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "measure/vetting.h"

namespace holdfast::cli {

// The findings for people, one a line.
std::string vet_lines(const std::vector<measure::VetFinding>& findings);
bool has_high(const std::vector<measure::VetFinding>& findings);

// vet.
std::vector<Command> vet_commands();

}  // namespace holdfast::cli
