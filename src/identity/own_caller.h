#pragma once

#include <string_view>

#include "identity/caller.h"

namespace holdfast::identity {

// The server itself, for what it does by nobody's order: every right, and an id that no account has. `name`
// stands in the audit log, in parentheses, which no user's name may hold.
inline Caller own_caller(std::string_view name) {
  Caller caller;
  caller.user = UserId{-1};
  caller.name = name;
  caller.admin = true;
  caller.role = TokenRole::write;
  return caller;
}

}  // namespace holdfast::identity
