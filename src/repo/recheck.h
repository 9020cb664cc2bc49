#pragma once

#include <cstddef>

#include "base/result.h"

namespace holdfast::identity {
class Audit;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

struct Hub;

// Judges heads of main again that were not judged by the rules of today, at most so many; returns how many
// there were. Where the standing is another than before, or held where nothing was known, the audit log says
// so (`repo.verdict_changed`), from which webhooks hear of it. One that cannot be read is passed over until
// the next start.
class Recheck {
 public:
  Recheck(Hub& hub, sql::Database& database, const identity::Audit& audit)
      : hub_(hub), database_(database), audit_(audit) {}
  Result<size_t> some(size_t repositories_max);

 private:
  Hub& hub_;
  sql::Database& database_;
  const identity::Audit& audit_;
  int64_t passed_ = 0;  // Repositories up to this number are done, or cannot be read.
};

}  // namespace holdfast::repo
