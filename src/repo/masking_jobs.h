#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "repo/masking.h"

namespace holdfast::repo {

struct MaskingJob {
  enum class State : uint8_t { waiting, running, done, failed };

  int64_t id = 0;
  RepoId repository{};
  MaskingWish wish{};
  std::string by{};
  State state = State::waiting;
  WallTime started{}, ended{};
  std::optional<MaskingReport> report{};  // When done.
  std::string failure{};                  // When failed.
};
std::string_view state_name(MaskingJob::State state);

// Masking jobs, one after the other on a thread of its own, which ends with it. A job is its request's word
// only: a server that stops forgets those that wait, and one that is cut off leaves nothing but bytes that
// nobody names. Safe from any thread.
class MaskingJobs {
 public:
  struct Parts {
    Hub& hub;
    content::Store& content;
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
  struct Entry {
    MaskingJob job;
    identity::Caller caller;
    Repository repository;
  };
  void run(const std::stop_token& stop);
  Entry* next();  // Under mutex_.

  const Parts parts_;
  std::mutex mutex_;  // Guards what follows, down to the thread.
  std::condition_variable_any changed_;
  std::list<Entry> entries_;  // Oldest first.
  int64_t last_ = 0;
  std::jthread thread_;
};

}  // namespace holdfast::repo
