#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "govern/canary_evidence.h"
#include "govern/exceptions.h"
#include "govern/live.h"
#include "govern/records.h"
#include "govern/releases.h"
#include "govern/requests.h"

namespace holdfast::govern {

// What one side of a split did since the canary began.
struct SideFigures {
  int64_t release = 0;
  int64_t requests = 0, errors = 0;  // Errors: status 500 and above.
  int64_t labels = 0, correct = 0;
  double mean_confidence = 0;
  std::optional<int64_t> p95_ms;
};

struct WatchFigures {
  SideFigures stable, canary;
  double statistic = 1, threshold = 100;  // canary_evidence; 1 / false_alarms_max.
  enum class Decided : uint8_t { running, worse } decided = Decided::running;
  std::string cause;            // Of worse.
  double confidence_shift = 0;  // Mean confidence of the canary less that of the stable side.
  double disagreement = 0;      // Total variation between the two sides' shares of labels; needs no truth.
};

struct Incident {
  int64_t id = 0;
  std::string record, state, cause;
  WallTime opened{}, closed{};
  boost::json::object body{};
};

// Compares a canary with the stable release while labels come in, and takes it back when it is worse: canary
// rolled back, exception ended, incident opened and releases frozen in one transaction. Also ends exceptions
// whose time is over. Safe from any thread; its thread is whoever calls `tick`, about once a second.
class Watch {
 public:
  struct Parts {
    sql::Database& database;
    const RegistryAccess& access;
    const Decisions& decisions;
    const Records& records;
    const Releases& releases;
    Exceptions& exceptions;
    LiveReleases& live;
    Requests& requests;
    const Clock& clock;
    Log& log;
  };
  explicit Watch(const Parts& parts) : parts_(parts) {}

  Status tick();
  // At once, after labels came for these records.
  Status look(const std::string& record);
  // Of the canary of a record and its stable release; nullopt without a canary.
  Result<std::optional<WatchFigures>> figures(const std::string& record);

  Result<std::vector<Incident>> incidents(const identity::Caller& caller, const std::string& record,
                                          const std::string& state);
  Result<Incident> incident(const identity::Caller& caller, int64_t id);
  Result<Incident> close(const identity::Caller& caller, int64_t id, std::string_view reason);

 private:
  Result<WatchFigures> measure(sql::Transaction& tx, const Record& record, const Release& stable,
                               const Release& canary);
  Status take_back(const Governed& governed, const Release& stable, const Release& canary,
                   const WatchFigures& figures);

  Parts parts_;
  std::mutex mutex_;  // One look at a time.
};

boost::json::object figures_json(const WatchFigures& figures, double false_alarms_max);

}  // namespace holdfast::govern
