#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>

#include "base/arguments.h"
#include "base/result.h"
#include "cli/command.h"

namespace holdfast::cli {

// Lets the server run the evaluation of a release, tells how far it is, and gives the evidence once it is
// there. dependency_failed with the reason when it failed or was cancelled.
Result<boost::json::value> evaluate_on_server(World& world, const Arguments& arguments,
                                              const std::string& release_path, int64_t seed);

}  // namespace holdfast::cli
