#pragma once

#include <optional>
#include <vector>

#include "api/call.h"
#include "api/services.h"
#include "content/hash.h"
#include "git/tips_view.h"

namespace holdfast::api {

// What a token that is bound to an environment may fetch: every door that hands out the bytes of a repository
// asks here, at once ok for other tokens. By the revision in the path; a path without one needs something
// that is approved. policy_refused.
Status check_pull(const Services& services, const Call& call);
// A large file by its hash.
Status check_pull(const Services& services, const identity::Caller& caller,
                  const repo::Repository& repository, const content::Sha256Digest& file);

// What git shows to such a token; nullopt for others, who see all of it.
Result<std::optional<std::vector<git::NamedCommit>>> clonable(const Services& services, const Call& call);

}  // namespace holdfast::api
