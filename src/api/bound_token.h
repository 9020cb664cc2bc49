#pragma once

#include "api/call.h"
#include "api/services.h"
#include "content/hash.h"

namespace holdfast::api {

// What a token that is bound to an environment may fetch: every door that hands out the bytes of a repository
// asks here, at once ok for other tokens. By the revision in the path; a path without one is a clone of all
// of it. policy_refused.
Status check_pull(const Services& services, const Call& call);
// A large file by its hash.
Status check_pull(const Services& services, const identity::Caller& caller,
                  const repo::Repository& repository, const content::Sha256Digest& file);

}  // namespace holdfast::api
