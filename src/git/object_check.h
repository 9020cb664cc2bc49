#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::git {

// What `git fsck --full --strict` says of the repository at `folder`: every object read and hashed again, one
// line a complaint, none when all is well. Unreferenced objects are no complaint. Only an error when git
// could not be run.
Result<std::vector<std::string>> check_objects(const io::Path& folder, const io::Path& git_program,
                                               const Clock& clock);

}  // namespace holdfast::git
