#pragma once

#include <span>

#include "sql/database.h"

namespace holdfast::job {

// Tables job_*: files, batches and their requests.
std::span<const sql::Migration> migrations();

}  // namespace holdfast::job
