#include "observe/budget_store.h"

#include "sql/database.h"

namespace holdfast::observe {
namespace {

using Grain = BudgetBook::Grain;

constexpr int64_t minutes_of(Grain grain) { return grain == Grain::hour ? 60 : 1; }

}  // namespace

Result<std::vector<BudgetRow>> load_budgets(sql::Database& database, size_t rows_max) {
  return database.read<std::vector<BudgetRow>>([&](sql::Transaction& tx) -> Result<std::vector<BudgetRow>> {
    std::vector<BudgetRow> out;
    TRY_DONE(tx.query(
        "SELECT record, minutes, number, answered, late, bad FROM observe_budgets ORDER BY number DESC", {},
        [&](const sql::Row& row) {
          out.push_back({.record = row.text(0),
                         .kept = {.grain = row.integer(1) == 60 ? Grain::hour : Grain::minute,
                                  .cell = {.number = row.integer(2),
                                           .answered = row.integer(3),
                                           .late = row.integer(4),
                                           .bad = row.integer(5)}}});
          return out.size() < rows_max;
        }));
    return out;
  });
}

Status save_budgets(sql::Database& database, const std::vector<BudgetRow>& rows,
                    std::chrono::milliseconds now) {
  return database.write([&](sql::Transaction& tx) -> Status {
    for (const auto& [record, kept] : rows) {
      const BudgetCell& cell = kept.cell;
      TRY_DONE(tx.run(
          "INSERT INTO observe_budgets (record, minutes, number, answered, late, bad) VALUES (?, ?, ?, ?, ?, "
          "?) ON CONFLICT (record, minutes, number) DO UPDATE SET answered = excluded.answered, late = "
          "excluded.late, bad = excluded.bad",
          {record, minutes_of(kept.grain), cell.number, cell.answered, cell.late, cell.bad}));
    }
    for (const Grain grain : {Grain::minute, Grain::hour})
      TRY_DONE(tx.run("DELETE FROM observe_budgets WHERE minutes = ? AND number < ?",
                      {minutes_of(grain), BudgetBook::oldest(grain, now)}));
    return Done{};
  });
}

}  // namespace holdfast::observe
