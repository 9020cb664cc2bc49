#pragma once

#include <string>
#include <vector>

#include "cli/model_profile.h"

namespace holdfast::cli {

// A bar a layer, cut into its steps as wide as their time, call by call; one legend. Plain SVG without
// scripts or fonts.
std::string profile_svg(const std::vector<CallProfile>& calls);

}  // namespace holdfast::cli
