#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::exchange {

// The tables exchange_*, forward only.
std::span<const sql::Migration> migrations();

}  // namespace holdfast::exchange
