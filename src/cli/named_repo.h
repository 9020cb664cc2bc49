#pragma once

#include <string_view>

#include "base/arguments.h"
#include "exchange/hub_client.h"

namespace holdfast::cli {

// How commands that speak to a hub name a repository: REPO [--repo-type TYPE], or with its kind before it as
// in an address: datasets/NS/NAME.
inline constexpr FlagRow type_flag{"--repo-type", "TYPE", "model, dataset or space [model]."};
Result<exchange::RemoteRepo> repo_of(const Arguments& arguments, std::string_view name);

}  // namespace holdfast::cli
