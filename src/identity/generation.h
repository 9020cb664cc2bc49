#pragma once

#include <cstdint>

#include "base/result.h"

namespace holdfast::sql {
class Transaction;
}

namespace holdfast::identity {

// The number that tells holders of checked tokens, in this process and others, to check again (tokens.h).
// Raised in the transaction of every change to tokens, users and members.
Status raise_generation(sql::Transaction& tx);
Result<int64_t> read_generation(sql::Transaction& tx);

}  // namespace holdfast::identity
