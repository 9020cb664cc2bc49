#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::identity {
class Audit;
}
namespace holdfast::sql {
class Database;
class Transaction;
}  // namespace holdfast::sql

namespace holdfast::govern {

struct Decision {
  int64_t number = 0;  // Of the audit log.
  WallTime at{};
  std::string actor{}, action{}, subject{}, record{};
  int64_t release = 0;  // 0: of the record as a whole.
  std::vector<std::pair<std::string, std::string>> details{};
  std::string hash{};  // Hexadecimal.
};

// What was decided about records and releases: rows of the hash-chained audit log, written in the transaction
// of what they tell of, and an index of which belongs to what. Nothing here changes or removes one. Safe from
// any thread.
class Decisions {
 public:
  Decisions(sql::Database& database, const identity::Audit& audit, const Clock& clock)
      : database_(database), audit_(audit), clock_(clock) {}

  // `action` as in the audit log: noun, dot, past tense. Returns the time it is dated with, which is never
  // before that of an earlier decision, whatever the clock says.
  struct Made {
    std::string actor, action, record;
    int64_t release = 0;
    std::vector<std::pair<std::string, std::string>> details{};
  };
  Status append(sql::Transaction& tx, const Made& made) const;
  // Now, but never before what was seen already: a clock that is set back revives no exception and no token.
  Result<WallTime> now(sql::Transaction& tx) const;

  // Oldest first; of one release, or of the whole record.
  Result<std::vector<Decision>> list(const std::string& record, std::optional<int64_t> release) const;

 private:
  sql::Database& database_;
  const identity::Audit& audit_;
  const Clock& clock_;
};

boost::json::object decision_json(const Decision& decision);
// A page to publish.
std::string decisions_markdown(const std::string& record, const std::vector<Decision>& decisions);

// Every change that the gates must hear of raises the generation.
Status raise_generation(sql::Transaction& tx);
Result<int64_t> read_generation(sql::Transaction& tx);

}  // namespace holdfast::govern
