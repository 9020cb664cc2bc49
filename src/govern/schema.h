#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::govern {

// Tables govern_*: records, releases, evidence, approvals, roles, exceptions, requests, incidents, review.
std::span<const sql::Migration> migrations();

}  // namespace holdfast::govern
