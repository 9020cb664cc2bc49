#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "repo/masking.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

struct MaskingJob {
  enum class State : uint8_t { waiting, running, done, failed };

  int64_t id = 0;
  RepoId repository{};
  MaskingWish wish{};
  std::string by{};
  identity::TokenId token{};  // Of the request.
  State state = State::waiting;
  WallTime started{}, ended{};
  std::optional<MaskingReport> report{};  // When done.
  std::string failure{};                  // When failed.
};
std::string_view state_name(MaskingJob::State state);

// Masking jobs, one after the other on a thread of its own, which ends with it. They are kept in the
// database: those that wait, and the one that ran when the server stopped or was cut off, are gone on with
// after the next start, with the rights that their user has then. Safe from any thread.
class MaskingJobs {
 public:
  struct Parts {
    sql::Database& database;
    Hub& hub;
    content::Store& content;
    // Who asked, as they are now; an error where the token was revoked or the user disabled.
    std::function<Result<identity::Caller>(identity::TokenId token, const std::string& name)> caller_again;
    const Clock& clock;
    Random& random;
    Log& log;
  };
  explicit MaskingJobs(const Parts& parts);

  // queue_full when eight wait.
  Result<MaskingJob> start(const identity::Caller& caller, const Repository& repository,
                           const MaskingWish& wish);
  // not_found for those of other repositories, and for all but the last 200.
  Result<MaskingJob> find(RepoId repository, int64_t id);

 private:
  void run(const std::stop_token& stop);
  Result<std::optional<MaskingJob>> next();
  Result<MaskingReport> carry_out(const MaskingJob& job, const std::stop_token& stop);
  Status end(const MaskingJob& job, const Result<MaskingReport>& report);

  const Parts parts_;
  std::mutex mutex_;  // Guards waiting_.
  std::condition_variable_any changed_;
  bool waiting_ = true;  // A job may wait: the table is looked at.
  std::jthread thread_;
};

}  // namespace holdfast::repo
