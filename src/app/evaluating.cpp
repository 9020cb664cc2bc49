#include "app/evaluating.h"

#include <thread>

#include "base/guarded.h"

namespace holdfast::app {
namespace {

class RunningEvaluations final : public Evaluating {
 public:
  RunningEvaluations(govern::Evaluations& evaluations, std::unique_ptr<govern::ReleaseAskers> askers,
                     Log& log)
      : evaluations_(evaluations), askers_(std::move(askers)), log_(log) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      const auto ran = guarded([&] { return evaluations_.run_next(*askers_, stop); });
      if (!ran.ok()) log_.failure("evaluations_failed", ran.error());
      if (!ran.ok() || !ran.value()) evaluations_.wait(stop);
    }
  }

  govern::Evaluations& evaluations_;
  std::unique_ptr<govern::ReleaseAskers> askers_;
  Log& log_;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Evaluating>> start_evaluating(govern::Evaluations& evaluations,
                                                     std::unique_ptr<govern::ReleaseAskers> askers,
                                                     Log& log) {
  TRY_DONE(evaluations.resume());
  return std::unique_ptr<Evaluating>(
      std::make_unique<RunningEvaluations>(evaluations, std::move(askers), log));
}

}  // namespace holdfast::app
