#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "observe/series.h"

namespace holdfast::observe {

// How the server's own questions to one version ended in one round.
struct ProbeOutcome {
  int64_t right = 0, wrong = 0, failed = 0;
  double seconds = 0;  // Of the last answer.
  bool sound() const { return wrong == 0 && failed == 0; }
};

// Counts it, and logs it when a version becomes unsound or sound again. Used by one thread.
class ProbeTeller {
 public:
  ProbeTeller(Log& log, Metrics& metrics) : log_(log), metrics_(metrics) {}

  // `who`: what is asked, as the log has it ("record" lab/support); `version`: of it.
  struct Who {
    const char* kind;
    std::string name, version;
  };
  void tell(const Who& who, const Series& series, const ProbeOutcome& outcome);

 private:
  Log& log_;
  Metrics& metrics_;
  std::map<std::string, bool> sound_;  // By name and version, as it was told of last.
};

}  // namespace holdfast::observe
