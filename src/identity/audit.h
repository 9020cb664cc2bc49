#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::identity {

using AuditHash = std::array<std::byte, 32>;

// Something that happened and who did it. No secrets: it is exported.
struct AuditEntry {
  std::string actor{};    // A user's name, or "(command line)".
  std::string action{};   // "token.created", "repo.deleted": noun, dot, past tense.
  std::string subject{};  // "ada", "model:lab/engine".
  std::vector<std::pair<std::string, std::string>> details{};  // Names are unique; kept sorted.
};

struct AuditRow {
  int64_t number = 0;  // 1, 2, 3 … without a gap.
  WallTime at{};
  std::string actor{}, action{}, subject{};
  std::string details{};  // A JSON object of strings.
  AuditHash hash{};
};

// Where the chain stood, kept outside of the database: finds a log that was rewritten or cut as a whole.
struct AuditCheckpoint {
  int64_t number = 0;  // 0: the empty log.
  AuditHash hash{};
};

struct AuditVerdict {
  int64_t rows = 0;  // That were checked, all in order.
  std::optional<int64_t>
      first_broken{};  // Number of the first row that is missing or is not what was written.
  std::string why{};   // Of first_broken.
  bool sound() const { return !first_broken.has_value(); }
};

// The append-only log: each row's hash covers the row before it (docs/formats/audit-log.md). app/ owns it.
// Safe from any thread.
class Audit {
 public:
  explicit Audit(const Clock& clock) : clock_(clock) {}

  // In the caller's write transaction: the entry is there if and only if what it tells of happened.
  Status append(sql::Transaction& tx, const AuditEntry& entry) const;

  Result<AuditCheckpoint> head(sql::Database& database) const;
  Result<AuditVerdict> verify(sql::Database& database,
                              const std::optional<AuditCheckpoint>& checkpoint = std::nullopt) const;
  // Rows numbered above `after`, oldest first, at most `rows_max`.
  Result<std::vector<AuditRow>> list(sql::Database& database, int64_t after, int64_t rows_max) const;

 private:
  const Clock& clock_;
};

}  // namespace holdfast::identity
