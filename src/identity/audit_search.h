#pragma once

#include <string_view>
#include <vector>

#include "identity/audit.h"

namespace holdfast::identity {

// Which rows of the log are wanted.
struct AuditQuestion {
  std::string_view subject = {};  // "model:lab/engine"; empty: of any.
  std::string_view action = {};   // The beginning of the action: "mirror."; empty: any.
  int64_t before = 0;             // Rows numbered below; 0: the newest.
  int64_t rows_max = 100;
};

// Newest first, from the newest 200,000 rows. Any thread.
Result<std::vector<AuditRow>> search_audit(sql::Database& database, const AuditQuestion& question);

}  // namespace holdfast::identity
