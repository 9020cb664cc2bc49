#pragma once

#include <memory>
#include <string>

#include "sql/database.h"

namespace holdfast::sql {

// `url` as libpq reads it: postgresql://user@host:port/name?…
Result<std::unique_ptr<Database>> open_postgres(const std::string& url);

}  // namespace holdfast::sql
