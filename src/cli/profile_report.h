#pragma once

#include <string>
#include <vector>

#include "cli/model_profile.h"

namespace holdfast::cli {

// For people: of each call the steps over all layers, then the layers over all steps.
std::string profile_text(const std::vector<CallProfile>& calls);
// One line. The first call's keys; a second one, which writes, under "writing".
std::string profile_json(const std::vector<CallProfile>& calls);

}  // namespace holdfast::cli
