#include "app/batching.h"

#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

class RunningBatches final : public Batching {
 public:
  RunningBatches(job::Batches& batches, std::unique_ptr<job::RequestAsker> asker, Log& log)
      : batches_(batches), asker_(std::move(asker)), log_(log) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      const auto ran = guarded([&] { return batches_.run_next(*asker_, stop); });
      if (!ran.ok()) log_.failure("batches_failed", ran.error());
      if (!ran.ok() || !ran.value()) batches_.wait(stop);
    }
  }

  job::Batches& batches_;
  std::unique_ptr<job::RequestAsker> asker_;
  Log& log_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Batching> start_batching(job::Batches& batches, std::unique_ptr<job::RequestAsker> asker,
                                         Log& log) {
  return std::make_unique<RunningBatches>(batches, std::move(asker), log);
}

}  // namespace holdfast::app
