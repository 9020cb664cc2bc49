#include "app/probing.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

class RunningProber final : public Probing {
 public:
  RunningProber(std::unique_ptr<govern::ReleaseAskers> askers, const observe::Prober::Parts& parts,
                std::chrono::milliseconds every)
      : askers_(std::move(askers)), prober_(parts), every_(every), log_(parts.log) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  // By the machine's own clock, not the instance's: a test that moves that one asks for no probes.
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait_for(lock, stop, every_, [] { return false; });
      if (stop.stop_requested()) return;
      const Status made = guarded([&] { return prober_.tick(stop); });
      if (!made.ok()) log_.failure("probes_failed", made.error());
    }
  }

  const std::unique_ptr<govern::ReleaseAskers> askers_;
  observe::Prober prober_;
  const std::chrono::milliseconds every_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Probing> start_probing(govern::Registry& registry,
                                       std::unique_ptr<govern::ReleaseAskers> askers,
                                       observe::SeriesNames& names, std::chrono::milliseconds every, Log& log,
                                       Metrics& metrics) {
  govern::ReleaseAskers& borrowed = *askers;
  const observe::Prober::Parts parts{registry, borrowed, names, log, metrics};
  return std::make_unique<RunningProber>(std::move(askers), parts, every);
}

}  // namespace holdfast::app
