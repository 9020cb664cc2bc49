#include "app/watching.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

// Real time, whatever the registry's clock says: within 60 s of the labels a bad canary is back.
constexpr std::chrono::milliseconds step{1000};

class RunningWatch final : public Watching {
 public:
  RunningWatch(govern::Registry& registry, CheckpointWriter* checkpoints, Log& log)
      : registry_(registry), checkpoints_(checkpoints), log_(log) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }
  // What was answered in the last second is written before the database closes.
  ~RunningWatch() override {
    thread_.request_stop();
    thread_.join();
    (void)guarded([this] { return registry_.requests.flush(); }).ok();
  }

 private:
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, step, [] { return false; });
      if (stop.stop_requested()) return;
      const Status looked = guarded([this] { return registry_.watch.tick(); });
      if (!looked.ok()) log_.failure("watch_failed", looked.error());
      if (checkpoints_ == nullptr) continue;
      const Status written = guarded([this] { return checkpoints_->write_if_grown(); });
      if (!written.ok()) log_.failure("checkpoint_failed", written.error());
    }
  }

  govern::Registry& registry_;
  CheckpointWriter* checkpoints_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Watching> start_watching(govern::Registry& registry, CheckpointWriter* checkpoints,
                                         Log& log) {
  return std::make_unique<RunningWatch>(registry, checkpoints, log);
}

}  // namespace holdfast::app
