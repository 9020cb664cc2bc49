#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "observe/objective.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::observe {

// What objectives counted, in the database, so that windows outlive a restart: at most one row a minute for
// six hours and one an hour for 30 days of each record.
struct BudgetRow {
  std::string record;
  BudgetBook::Kept kept;
};

// Every row, at most `rows_max` of them.
Result<std::vector<BudgetRow>> load_budgets(sql::Database& database, size_t rows_max);
// Whole cells, in one transaction; what no window needs at `now` goes.
Status save_budgets(sql::Database& database, const std::vector<BudgetRow>& rows,
                    std::chrono::milliseconds now);

}  // namespace holdfast::observe
