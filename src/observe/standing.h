#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "govern/licence_incidents.h"
#include "govern/live.h"
#include "observe/series.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::observe {

// What the licences of all that a release is made of say of its use as they are now.
struct LicenceAudit {
  enum class Verdict : uint8_t { pass, review, fail } verdict = Verdict::pass;  // review: for a person.
  std::string why{};
};

// app/ gives the implementation.
class LicenceAuditor {
 public:
  virtual ~LicenceAuditor() = default;
  virtual Result<LicenceAudit> audit(const govern::Record& record, const govern::Release& release) = 0;
};

// How every live release stands, beyond its traffic: its accuracy in its evaluation and by labels, how long
// ago an evaluation passed, whether its licences still do; of each that does not an incident is kept. Read
// from the registry when refreshed. One thread.
class Standing {
 public:
  struct Parts {
    sql::Database& database;
    govern::LiveReleases& live;
    const govern::Decisions& decisions;
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
  Result<bool> audit_one(const govern::Governed& governed, const govern::Release& release);

  Parts parts_;
  govern::LicenceIncidents incidents_;
  Gauge &audited_, &pass_ratio_;
  Counter& failures_;
  std::map<std::string, bool> passed_;  // By record and release, at the last audit.
  std::chrono::milliseconds audit_at_{0};
};

}  // namespace holdfast::observe
