#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/disk.h"

namespace holdfast::git {

// Writes the folder that core.hooksPath of every push names: one script a hook, each running
// `PROGRAM git-hook NAME`. Written again at every start, so that it follows the program.
Status install_hooks(io::Disk& disk, const io::Path& folder, const io::Path& program);

// What `holdfast git-hook pre-receive|proc-receive` does: speaks git's side on `input` and `output` (file
// descriptors), asks the server on the socket of HOLDFAST_HOOK_SOCKET with the key of HOLDFAST_HOOK_KEY. The
// text of a refusal goes to `complain` (standard error, which git shows the pusher). Returns the exit code.
int run_git_hook(std::string_view name, int input, int output,
                 const std::function<std::optional<std::string>(const std::string&)>& environment,
                 const std::function<void(std::string_view)>& complain);

}  // namespace holdfast::git
