#include "identity/first_admin.h"

#include "identity/accounts.h"
#include "identity/tokens.h"

namespace holdfast::identity {
namespace {

constexpr std::string_view actor = "(first start)";
constexpr const char* name = "admin";

}  // namespace

Result<std::optional<FirstAdmin>> ensure_first_admin(Accounts& accounts, Tokens& tokens) {
  TRY(const std::vector<User> users, accounts.list_users());
  TRY(const std::vector<TokenInfo> issued, tokens.list(std::nullopt));
  // A start that was cut between the two writes left the user without a token, which nobody could use.
  const bool only_admin = users.size() == 1 && users.front().name == name && !users.front().has_password;
  if (!issued.empty() || (!users.empty() && !only_admin)) return std::optional<FirstAdmin>();
  if (users.empty()) TRY_DONE(accounts.create_user(actor, {.name = name, .kind = UserKind::administrator}));
  TRY(IssuedToken token,
      tokens.create(actor, {.user = name, .label = "first start", .role = TokenRole::write, .scopes = {}}));
  return std::optional(FirstAdmin{name, std::move(token.value)});
}

}  // namespace holdfast::identity
