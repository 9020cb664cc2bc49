#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::repo {

// The tables repo_*, forward only.
std::span<const sql::Migration> migrations();

}  // namespace holdfast::repo
