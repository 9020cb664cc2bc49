#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/caller_cache.h"
#include "identity/tokens.h"

namespace holdfast::sql {
class Transaction;
}

namespace holdfast::identity {

// Rows of identity_tokens as values, inside of a transaction.
Result<TokenInfo> token_numbered(sql::Transaction& tx, TokenId id);
Result<std::optional<TokenInfo>> token_of_digest(sql::Transaction& tx, const TokenDigest& digest);
// Newest first; of all users when `user` is none.
Result<std::vector<TokenInfo>> list_tokens(sql::Transaction& tx, std::optional<UserId> user);
// That a scan ended, likewise.
Result<std::vector<TokenInfo>> list_leaked(sql::Transaction& tx, UserId user);
// Of a user, neither revoked nor replaced, newest first, at most 1,000.
Result<std::vector<TokenInfo>> list_current(sql::Transaction& tx, UserId user);
// Neither revoked nor replaced, made until then or with a rule of their own, of which something may be left
// to tell; oldest first.
Result<std::vector<TokenInfo>> list_untold(sql::Transaction& tx, WallTime made_until);
// Gives `info` its id. already_exists when a token has this value.
Status insert_token(sql::Transaction& tx, const TokenDigest& digest, TokenInfo& info);
// Who comes with the token, if its user is enabled; the token's own dates are not looked at.
Result<std::optional<Caller>> caller_of(sql::Transaction& tx, const TokenInfo& token);

}  // namespace holdfast::identity
