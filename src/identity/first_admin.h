#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace holdfast::identity {

class Accounts;
class Tokens;

struct FirstAdmin {
  std::string name{};
  Secret token;  // Shown once, by app/.
};

// On an instance without users: creates the administrator "admin" with a write token. nullopt otherwise.
Result<std::optional<FirstAdmin>> ensure_first_admin(Accounts& accounts, Tokens& tokens);

}  // namespace holdfast::identity
