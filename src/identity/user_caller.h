#pragma once

#include <string_view>

#include "base/result.h"
#include "identity/accounts.h"
#include "identity/caller.h"

namespace holdfast::identity {

// A user as a caller, with the rights of now, for work that goes on when the session or the token that began
// it may be gone. not_found for an unknown name, forbidden for one that is disabled.
Result<Caller> user_caller(Accounts& accounts, std::string_view name);

}  // namespace holdfast::identity
