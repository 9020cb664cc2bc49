#include "app/keeping.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

constexpr std::chrono::milliseconds step{500};

class RunningKeeper final : public Keeping {
 public:
  RunningKeeper(govern::EndpointKeeper& keeper, Log& log) : keeper_(keeper), log_(log) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      const Status kept = guarded([&] { return keeper_.run_round(stop); });
      if (!kept.ok()) log_.failure("endpoints_not_kept", kept.error());
      wake_.wait_for(lock, stop, step, [] { return false; });
    }
  }

  govern::EndpointKeeper& keeper_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Keeping> start_keeping(govern::EndpointKeeper& keeper, Log& log) {
  return std::make_unique<RunningKeeper>(keeper, log);
}

}  // namespace holdfast::app
