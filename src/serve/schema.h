#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::serve {

std::span<const sql::Migration> migrations();

}  // namespace holdfast::serve
