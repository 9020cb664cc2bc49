#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "git/push.h"
#include "git/repository.h"
#include "io/disk.h"

namespace holdfast::git {

struct PushRules {
  uint64_t blob_bytes_max = 10'000'000;  // Larger files must be LFS pointers.
  size_t objects_max = 2'000'000;
};

// What holds for every push, whoever makes it: references are branches, tags and refs/pr/N by names users may
// give; main stays; branches point at commits; no file over the bound; no path that check_path_name refuses.
// `quarantine` is empty when the push brings no objects; `repository` sees it. policy_refused with a text for
// the pusher otherwise.
Result<NewObjects> check_push(const Repository& repository, const io::Path& quarantine,
                              const std::vector<RefCommand>& commands, const PushRules& rules);

// refs/heads/NAME, refs/tags/NAME or refs/pr/N.
Status check_pushed_ref(std::string_view ref);

}  // namespace holdfast::git
