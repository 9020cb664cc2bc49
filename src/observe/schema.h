#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::observe {

std::span<const sql::Migration> migrations();

}  // namespace holdfast::observe
