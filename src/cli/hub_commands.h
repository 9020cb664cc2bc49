#pragma once

#include <vector>

#include "cli/command.h"

namespace holdfast::cli {

// The client side: login, whoami, download, upload, repo create, repo delete, cache list, cache verify, cache
// prune. HF_ENDPOINT, HF_TOKEN and HF_HOME are read as huggingface_hub reads them, and the token and the
// cache are shared with it.
std::vector<Command> hub_commands();

}  // namespace holdfast::cli
