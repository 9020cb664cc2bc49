#include "sql/database.h"

#include "sql/postgres_database.h"
#include "sql/sqlite_database.h"

namespace holdfast::sql {

Result<std::unique_ptr<Database>> open_database(const std::string& url) {
  if (url.starts_with("sqlite:")) return open_sqlite(url.substr(7));
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return open_postgres(url);
  return fail(Reason::bad_request, "a database is sqlite:PATH or postgresql://…");
}

}  // namespace holdfast::sql
