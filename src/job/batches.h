#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/log.h"
#include "identity/caller.h"
#include "job/files.h"
#include "job/request_asker.h"

namespace holdfast::identity {
class Accounts;
class Tokens;
}  // namespace holdfast::identity

namespace holdfast::job {

enum class BatchState : uint8_t {
  validating,
  in_progress,
  cancelling,
  completed,
  failed,
  expired,
  cancelled
};
std::string_view state_name(BatchState state);

struct Batch {
  int64_t number = 0;
  std::string id{};  // "batch_…"
  int64_t owner = 0, token = 0;
  std::string user{};
  std::string endpoint{}, input{};  // Where its requests are asked; the id of their file.
  std::string metadata{};           // JSON: what its owner wrote on it.
  BatchState state = BatchState::validating;
  std::string errors{};                     // JSON: why it failed; empty: nothing did.
  std::string output_file{}, error_file{};  // Empty: there are none.
  int64_t total = 0, answered = 0, failed = 0;
  int64_t tokens_read = 0, tokens_written = 0, worker_us = 0, cost_nano = 0;  // As Asked's, of all by now.
  WallTime created{}, expires{}, began{}, cancelled{}, ended{};               // Zero: not yet.
  WallTime looked{};                                                          // When all of this was so.

  bool over() const { return state > BatchState::cancelling; }
};

struct NewBatch {
  std::string endpoint{}, input{}, metadata{};
};

// Batches of requests that the server asks by itself. Several that are unfinished take turns, a slice of
// requests each, on the one thread that calls `run_next`; each answer is kept by a transaction of its own,
// and what a crash interrupted is asked again. All else is safe from any thread. A batch is its owner's
// alone.
class Batches {
 public:
  struct Parts {
    sql::Database& database;
    Files& files;
    identity::Accounts& accounts;
    identity::Tokens& tokens;
    const Clock& clock;
    Random& random;
    Log& log;
  };
  explicit Batches(const Parts& parts) : parts_(parts) {}

  // not_found for an input that is not the caller's; queue_full when too many wait.
  Result<Batch> create(const identity::Caller& caller, const NewBatch& wish);
  Result<Batch> find(const identity::Caller& caller, const std::string& id) const;
  Result<Page<Batch>> list(const identity::Caller& caller, const PageWish& wish) const;
  // conflict for one that is over. What was answered stays.
  Result<Batch> cancel(const identity::Caller& caller, const std::string& id);

  // A slice of the next one that is unfinished; false when none is.
  Result<bool> run_next(RequestAsker& asker, const std::stop_token& stop);
  // Until one was made, a second passed or it is told to stop.
  void wait(const std::stop_token& stop);

 private:
  struct Request {
    int64_t line = 0, tries = 0;
    std::string custom_id{}, body{};
  };
  Result<std::optional<Batch>> next();
  Result<identity::Caller> caller_of(const Batch& batch) const;
  Status read_input(const Batch& batch);
  Status run_slice(const Batch& batch, RequestAsker& asker, const std::stop_token& stop);
  Status answer(const Batch& batch, const identity::Caller& caller, const Request& request,
                RequestAsker& asker, const std::stop_token& stop);
  Status keep(const Batch& batch, const Request& request, const Asked& asked);
  Status give_up(const Batch& batch, BatchState as, const std::string& errors);
  Status finish(const Batch& batch, BatchState as);
  void stir();

  const Parts parts_;
  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable_any wake_;
  bool stirred_ = false;
  int64_t last_ = 0;          // The number of the batch that had its turn.
  std::string running_{};     // Its id, while it has it;
  std::stop_source leave_{};  // ends that turn when it is cancelled.
};

}  // namespace holdfast::job
