#include "app/probing.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

class RunningProber final : public Probing {
 public:
  RunningProber(const ProbingParts& parts, ProbeAskers askers, std::chrono::milliseconds every)
      : askers_(std::move(askers)),
        prober_({parts.registry, *askers_.releases, parts.names, parts.log, parts.metrics}),
        endpoints_({parts.database, *askers_.endpoints, parts.names, parts.ticks, parts.log, parts.metrics}),
        every_(every),
        log_(parts.log) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  // By the machine's own clock, not the instance's: a test that moves that one asks for no probes.
  void run(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait_for(lock, stop, every_, [] { return false; });
      if (stop.stop_requested()) return;
      for (const Status& made :
           {guarded([&] { return prober_.tick(stop); }), guarded([&] { return endpoints_.tick(stop); })})
        if (!made.ok()) log_.failure("probes_failed", made.error());
    }
  }

  const ProbeAskers askers_;
  observe::Prober prober_;
  observe::EndpointProber endpoints_;
  const std::chrono::milliseconds every_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Probing> start_probing(const ProbingParts& parts, ProbeAskers askers,
                                       std::chrono::milliseconds every) {
  return std::make_unique<RunningProber>(parts, std::move(askers), every);
}

}  // namespace holdfast::app
