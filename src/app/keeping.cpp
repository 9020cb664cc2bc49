#include "app/keeping.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

constexpr std::chrono::milliseconds keeping_step{500}, tending_step{250};

class RunningKeeper final : public Keeping {
 public:
  RunningKeeper(govern::EndpointKeeper& keeper, serve::Models& models, Log& log)
      : log_(log),
        keeping_([this, &keeper](std::stop_token stop) {
          repeat(stop, keeping_step, "endpoints_not_kept", [&] { return keeper.run_round(stop); });
        }),
        tending_([this, &models](std::stop_token stop) {
          repeat(stop, tending_step, "workers_not_tended", [&]() -> Status {
            models.tend();
            return Done{};
          });
        }) {}

 private:
  template <class Act>
  void repeat(const std::stop_token& stop, std::chrono::milliseconds step, const char* failure, Act act) {
    while (!stop.stop_requested()) {
      const Status done = guarded(act);
      if (!done.ok()) log_.failure(failure, done.error());
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, step, [] { return false; });
    }
  }

  Log& log_;
  std::mutex mutex_;  // Guards nothing but the waits.
  std::condition_variable_any wake_;
  std::jthread keeping_, tending_;  // Last: they use all above.
};

}  // namespace

std::unique_ptr<Keeping> start_keeping(govern::EndpointKeeper& keeper, serve::Models& models, Log& log) {
  return std::make_unique<RunningKeeper>(keeper, models, log);
}

}  // namespace holdfast::app
