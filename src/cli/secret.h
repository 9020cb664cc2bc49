#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "cli/command.h"

namespace holdfast::cli {

std::vector<Command> secret_commands();

// The key of the secrets store that the environment (HOLDFAST_SECRETS_KEY) or `key_file` gives; empty:
// neither does, and the data folder's own is used.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Result<Secret> given_sealing_key(const Environment& environment, const std::string& key_file);

}  // namespace holdfast::cli
