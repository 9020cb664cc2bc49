#include "identity/user_caller.h"

#include <fmt/format.h>

namespace holdfast::identity {

Result<Caller> user_caller(Accounts& accounts, std::string_view name) {
  TRY(const User user, accounts.find_user(name));
  if (user.disabled) return fail(Reason::forbidden, fmt::format("{} is disabled", name));
  TRY(std::vector<Membership> memberships, accounts.memberships(user.id));
  return Caller{.user = user.id,
                .name = user.name,
                .admin = user.kind == UserKind::administrator,
                .role = TokenRole::write,
                .memberships = std::move(memberships)};
}

}  // namespace holdfast::identity
