#include "identity/audit_search.h"

#include <algorithm>
#include <limits>

#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr int64_t looked_at_max = 200'000, answer_rows_max = 1000;

AuditRow read_row(const sql::Row& row) {
  AuditRow out{.number = row.integer(0),
               .at = WallTime(std::chrono::milliseconds(row.integer(1))),
               .actor = row.text(2),
               .action = row.text(3),
               .subject = row.text(4),
               .details = row.text(5)};
  const Bytes hash = row.blob(6);
  if (hash.size() == out.hash.size()) std::ranges::copy(hash, out.hash.begin());
  return out;
}

}  // namespace

Result<std::vector<AuditRow>> search_audit(sql::Database& database, const AuditQuestion& question) {
  std::vector<AuditRow> rows;
  TRY_DONE(database.read([&](sql::Transaction& tx) -> Status {
    rows.clear();
    int64_t newest = 0;
    TRY_DONE(tx.query("SELECT COALESCE(MAX(number), 0) FROM identity_audit", {}, [&](const sql::Row& row) {
      newest = row.integer(0);
      return false;
    }));
    const int64_t before = question.before > 0 ? question.before : std::numeric_limits<int64_t>::max();
    // An empty word fits all: its length is 0.
    return tx.query(
        "SELECT number, at, actor, action, subject, details, hash FROM identity_audit WHERE number > ? AND "
        "number < ? AND (subject = ? OR '' = ?) AND substr(action, 1, ?) = ? ORDER BY number DESC LIMIT ?",
        {newest - looked_at_max, before, question.subject, question.subject,
         static_cast<int64_t>(question.action.size()), question.action,
         std::clamp<int64_t>(question.rows_max, 1, answer_rows_max)},
        [&](const sql::Row& row) {
          rows.push_back(read_row(row));
          return true;
        });
  }));
  return rows;
}

}  // namespace holdfast::identity
