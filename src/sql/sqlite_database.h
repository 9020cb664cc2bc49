#pragma once

#include <memory>
#include <string>

#include "sql/database.h"

namespace holdfast::sql {

// `path` is a file; created when missing, its folder must be there.
Result<std::unique_ptr<Database>> open_sqlite(const std::string& path);

}  // namespace holdfast::sql
