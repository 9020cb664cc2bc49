#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/accounts.h"

namespace holdfast::sql {
class Row;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::identity {

// Rows of identity_users and identity_organisations as values, inside of a transaction. Not found is
// Code::not_found.
Result<User> user_named(sql::Transaction& tx, std::string_view name);
Result<User> user_numbered(sql::Transaction& tx, UserId id);
Result<std::vector<User>> all_users(sql::Transaction& tx);
Result<Organisation> organisation_named(sql::Transaction& tx, std::string_view name);
Result<std::vector<Organisation>> all_organisations(sql::Transaction& tx);
// At most `rows_max`, by name.
Result<std::vector<Membership>> memberships_of(sql::Transaction& tx, UserId user, size_t rows_max);

// Takes the name for a user or an organisation; already_exists when either has it.
Status take_name(sql::Transaction& tx, std::string_view name, std::string_view kind);

std::string_view visibility_name(Visibility visibility);  // "public", "private"
Visibility visibility_of(std::string_view name);          // Unknown words are private.

inline constexpr int64_t accounts_listed_max = 100'000;

}  // namespace holdfast::identity
