#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"
#include "identity/caller_cache.h"

namespace holdfast::sql {
class Transaction;
}

namespace holdfast::identity {

// A row of identity_sessions.
struct SessionRow {
  int64_t id = 0;
  UserId owner{};
  std::vector<UserId> people{};
  WallTime created{}, expires{}, last_used{};
};

// Rows of identity_sessions and identity_sign_in_links as values, inside of a transaction.
Result<std::optional<SessionRow>> session_of_digest(sql::Transaction& tx, const TokenDigest& digest);
// Gives the row its id, and ends the oldest of the owner's beyond `of_owner_max`, and whatever is over.
Status insert_session(sql::Transaction& tx, const TokenDigest& digest, SessionRow& row, size_t of_owner_max);
Status insert_link(sql::Transaction& tx, const TokenDigest& digest, const std::vector<UserId>& people,
                   WallTime now, WallTime expires);
// The people of a link that is neither used nor over; it is used then.
Result<std::optional<std::vector<UserId>>> take_link(sql::Transaction& tx, const TokenDigest& digest,
                                                     WallTime now);

}  // namespace holdfast::identity
