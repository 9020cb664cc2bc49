#include "app/observing.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

constexpr std::chrono::milliseconds step{1000};

class RunningObserver final : public Observing {
 public:
  RunningObserver(observe::Rounds& rounds, Log& log) : rounds_(rounds), log_(log) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const Status made = guarded([this] { return rounds_.tick(); });
      if (!made.ok()) log_.failure("rounds_failed", made.error());
      wake_.wait_for(lock, stop, step, [] { return false; });
    }
    const Status kept = guarded([this] { return rounds_.finish(); });
    if (!kept.ok()) log_.failure("rounds_failed", kept.error());
  }

  observe::Rounds& rounds_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Observing> start_observing(observe::Rounds& rounds, Log& log) {
  return std::make_unique<RunningObserver>(rounds, log);
}

}  // namespace holdfast::app
