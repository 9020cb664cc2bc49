#include "serve/serve_probe.h"

namespace holdfast::serve {
namespace {

Counter& requests(Metrics& metrics, const char* outcome) {
  return metrics.counter("holdfast_serve_requests_total", "Requests to models by how they ended.",
                         {{"outcome", outcome}});
}

}  // namespace

ServeProbe::ServeProbe(Metrics& metrics)
    : answered_(requests(metrics, "answered")),
      refused_(requests(metrics, "refused")),
      failed_(requests(metrics, "failed")),
      crashes_(metrics.counter("holdfast_serve_worker_crashes_total",
                               "Workers that ended without being told to.")),
      workers_(metrics.gauge("holdfast_serve_workers", "Worker processes running.")),
      seconds_(metrics.histogram("holdfast_serve_request_duration_seconds",
                                 "From admission to answer, loading of the model included.",
                                 {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60})),
      batch_inputs_(metrics.histogram("holdfast_serve_batch_inputs", "Texts that went to a worker together.",
                                      {1, 2, 4, 8, 16, 32, 64, 128})) {}

void ServeProbe::answered(double seconds) {
  answered_.add();
  seconds_.observe(seconds);
}
void ServeProbe::refused() { refused_.add(); }
void ServeProbe::failed() { failed_.add(); }

}  // namespace holdfast::serve
