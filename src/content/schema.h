#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::content {

std::span<const sql::Migration> migrations();

}  // namespace holdfast::content
