#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "measure/labelled_rows.h"

namespace holdfast::sql {
class Transaction;
}

namespace holdfast::govern {

enum class JobState : uint8_t { waiting, running, done, failed, cancelled };
std::string_view job_state_name(JobState state);

// An evaluation that the server runs, as it is kept; how far it is stands beside it while it runs.
struct EvaluationJob {
  int64_t id = 0;
  std::string record{};
  int64_t release = 0;
  JobState state = JobState::waiting;
  std::string dataset{}, dataset_revision{}, split{};
  int64_t dataset_repository = 0;
  measure::RowColumns columns{};
  int64_t criteria = 0, seed = 0;
  std::string by{};
  WallTime at{}, ended{};
  int64_t attempts = 0;
  int64_t rows = 0;      // Of the split, once they are counted.
  int64_t evidence = 0;  // Of one that is done.
  std::string why{};     // Of one that failed.

  bool over() const { return state != JobState::waiting && state != JobState::running; }
};

// The table govern_evaluations as values, inside of the caller's transaction.
Result<EvaluationJob> job_numbered(sql::Transaction& tx, int64_t id);  // not_found
Result<std::vector<EvaluationJob>> jobs_of(sql::Transaction& tx, const std::string& record,
                                           int64_t release);  // Newest first, at most 20.
Result<std::optional<EvaluationJob>> oldest_waiting(sql::Transaction& tx);
Result<int64_t> count_unfinished(sql::Transaction& tx);
Result<int64_t> insert_job(sql::Transaction& tx, const EvaluationJob& job);

}  // namespace holdfast::govern
