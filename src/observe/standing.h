#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "govern/live.h"
#include "observe/series.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::observe {

// Whether the licences of all that a release is made of allow its use as they are now. app/ gives the
// implementation.
class LicenceAuditor {
 public:
  virtual ~LicenceAuditor() = default;
  virtual Result<bool> passes(const govern::Record& record, const govern::Release& release) = 0;
};

// How every live release stands, beyond its traffic: its accuracy in its evaluation and by labels, how long
// ago an evaluation passed, whether its licences still do. Read from the registry when refreshed. One thread.
class Standing {
 public:
  struct Parts {
    sql::Database& database;
    govern::LiveReleases& live;
    LicenceAuditor& auditor;
    SeriesNames& names;
    const Clock& clock;
    Log& log;
    Metrics& metrics;
  };
  explicit Standing(const Parts& parts);

  Status refresh();

  static constexpr std::chrono::hours audit_step{6};  // Of licences, on the clock; a new release at once.

 private:
  Status refresh_one(const govern::Governed& governed, const govern::Release& release);
  Status count_labels(const govern::Release& release, const Series& series);
  void set_accuracy(const Series& series, const char* source, double accuracy, int64_t rows);
  Status audit(const govern::LiveSnapshot& live);

  Parts parts_;
  Gauge &audited_, &pass_ratio_;
  Counter& failures_;
  std::map<std::string, bool> passed_;  // By record and release, at the last audit.
  std::chrono::milliseconds audit_at_{0};
};

}  // namespace holdfast::observe
