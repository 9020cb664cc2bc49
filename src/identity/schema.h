#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::identity {

// Tables identity_*: users, organisations, members, tokens, the audit log.
std::span<const sql::Migration> migrations();

}  // namespace holdfast::identity
