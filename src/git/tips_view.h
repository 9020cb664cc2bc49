#pragma once

#include <span>
#include <string>

#include "git/object_id.h"
#include "io/disk.h"

namespace holdfast::git {

struct NamedCommit {
  std::string ref;  // "refs/heads/main", "refs/tags/release-1"
  ObjectId commit;
};

// A repository folder that shows these commits of another repository and nothing before them: its objects are
// borrowed from `repository`, its history is cut at each commit (git's own "shallow" file), HEAD is
// refs/heads/main. Made below `folder` on the disk under a name that says what it shows, once; never changed
// afterwards. Returns its absolute path, to be fetched from with History::tips.
Result<io::Path> ensure_tips_view(io::Disk& disk, const io::Path& folder, const io::Path& repository,
                                  std::span<const NamedCommit> commits);

// Whether the body of a fetch (protocol versions 0 and 1) wants nothing but these commits. git itself serves
// trees and blobs of any commit to whoever names them. policy_refused, or bad_request for what is no such
// body.
Status check_wants(ByteView body, std::span<const NamedCommit> commits);

}  // namespace holdfast::git
