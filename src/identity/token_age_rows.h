#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "identity/token_ages.h"
#include "sql/database.h"

namespace holdfast::identity {

// Rows of identity_token_ages as values, inside of a transaction.
std::optional<std::chrono::milliseconds> span_column(const sql::Row& row, int column);
sql::Value span_value(const std::optional<std::chrono::milliseconds>& span);

// This server's rule first, then those of organisations by name.
Result<std::vector<AgeRuleInfo>> list_age_rules(sql::Transaction& tx);
// Gives the tokens what the rules of the day say of them. `of`: the user whose they all are; none: of
// anybody.
Status apply_age_rules(sql::Transaction& tx, std::span<TokenInfo> tokens, std::optional<UserId> of);

}  // namespace holdfast::identity
