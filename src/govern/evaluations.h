#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/ticks.h"
#include "govern/evaluation_job.h"
#include "govern/release_asker.h"
#include "govern/releases.h"
#include "serve/serving_copy.h"

namespace holdfast::identity {
class Accounts;
}
namespace holdfast::repo {
struct Hub;
}

namespace holdfast::govern {

struct Registry;

// How far the running one is.
struct EvaluationProgress {
  int64_t rows_done = 0, rows_total = 0;
  double rows_per_second = 0;  // 0: not known yet.
  std::optional<double> seconds_left{};
};

// Evaluations that the server runs by itself: the pinned revision of a release over the split that its record
// names, by criteria that stand. One after the other, on the one thread that calls `run_next`; the evidence
// and the end of the job are one transaction, so that there is a whole result or none. A job that a crash
// interrupted is run again from its first row. Everything else is safe from any thread.
class Evaluations {
 public:
  struct Parts {
    sql::Database& database;
    Registry& registry;
    identity::Accounts& accounts;
    repo::Hub& hub;
    serve::FileSource& files;  // Of data sets too.
    std::string metric_code;   // Which program measured: "holdfast 0.4".
    const Clock& clock;
    const Ticks& ticks;
    Log& log;
  };
  explicit Evaluations(const Parts& parts) : parts_(parts) {}

  struct Wish {
    std::string revision = "main";  // Of the data; kept as its commit.
    int64_t seed = 0;
  };
  // A refusal names what must be there before a run: criteria, the record's data. forbidden for those who may
  // not add evaluations; not_found for data that the caller does not see, as if there were none; conflict
  // while one of this release is under way; queue_full when too many wait.
  using Started = std::variant<EvaluationJob, Refusal>;
  Result<Started> start(const identity::Caller& caller, const std::string& record, int64_t release,
                        const Wish& wish);
  Result<std::vector<EvaluationJob>> list(const identity::Caller& caller, const std::string& record,
                                          int64_t release) const;
  Result<EvaluationJob> find(const identity::Caller& caller, int64_t id) const;
  // conflict for one that is over. No evidence comes of it any more.
  Result<EvaluationJob> cancel(const identity::Caller& caller, int64_t id);
  std::optional<EvaluationProgress> progress(int64_t id) const;

  // Takes up what an earlier process left; once, before the first `run_next`. What was interrupted thrice
  // fails.
  Status resume();
  // Runs the oldest that waits; false when none does. Told to stop, it leaves what runs to the next process.
  Result<bool> run_next(ReleaseAskers& askers, const std::stop_token& stop);
  // Until one was started, a second passed or it is told to stop.
  void wait(const std::stop_token& stop);

 private:
  struct Dataset {
    repo::Repository repository;
    std::string commit;
  };
  Result<Dataset> find_dataset(const identity::Caller& caller, std::string_view name,
                               std::string_view revision) const;
  Result<identity::Caller> caller_of(const EvaluationJob& job) const;
  Status run(const EvaluationJob& job, ReleaseAskers& askers, const std::stop_token& stop);
  Result<std::vector<measure::LabelledRow>> rows_of(const EvaluationJob& job) const;
  Result<AskedRow> ask(ReleaseAsker& asker, const std::string& text, const std::stop_token& stop);
  Result<std::optional<EvaluationJob>> claim();
  Status go_on(const std::stop_token& stop) const;

  const Parts parts_;
  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable_any wake_;
  bool stirred_ = false;
  struct Running {
    int64_t id = 0, rows_done = 0, rows_total = 0;
    bool cancelled = false;
    std::chrono::nanoseconds first_asked{};
  };
  Running running_;
};

}  // namespace holdfast::govern
