#include "serve/serve_probe.h"

#include <algorithm>
#include <string>

namespace holdfast::serve {

// Without an accelerator the workers' slots on the processor stand for one: the names are the same.
ServeProbe::ServeProbe(Metrics& metrics, size_t places)
    : crashes_(metrics.counter("holdfast_serve_worker_crashes_total",
                               "Workers that ended without being told to.")),
      again_(metrics.counter("holdfast_serve_asked_again_total",
                             "Requests given to another worker because theirs died.")),
      cold_starts_(metrics.counter("holdfast_serve_cold_starts_total",
                                   "Workers started for a model of which none was ready.")),
      prompt_tokens_(metrics.counter("holdfast_serve_prompt_tokens_total",
                                     "Of prompts whose answers came to their end.")),
      reused_tokens_(metrics.counter("holdfast_serve_prompt_tokens_reused_total",
                                     "Of them, those that a worker's prefix cache had.")),
      prompt_steps_(metrics.counter("holdfast_serve_prompt_steps_total",
                                    "Steps in which such prompts were read: a long one takes several, and "
                                    "other answers are written in each.")),
      workers_(metrics.gauge("holdfast_serve_workers", "Worker processes running.")),
      wanted_(metrics.gauge("holdfast_serve_workers_wanted",
                            "Workers that scaling asks for, of all models that are loaded.")),
      waiting_(metrics.gauge("holdfast_serve_waiting", "Requests whose turn has not come.")),
      queue_delay_(metrics.gauge("holdfast_serve_queue_delay_seconds",
                                 "How long the request has waited that has waited longest.")),
      batch_inputs_(metrics.histogram("holdfast_serve_batch_inputs", "Texts that went to a worker together.",
                                      {1, 2, 4, 8, 16, 32, 64, 128})),
      batch_tokens_(metrics.histogram("holdfast_serve_batch_tokens",
                                      "Tokens, about, that went to a worker together.",
                                      {16, 64, 256, 1024, 4096, 8192, 16384})),
      writing_(metrics.histogram("holdfast_serve_writing_at_once",
                                 "Answers that a worker writes together, each time it says something.",
                                 {1, 2, 4, 8, 16, 32, 64})),
      places_(places) {
  for (size_t i = 0; i < places; ++i) {
    const MetricLabels labels{{"device", "cpu"}, {"slot", std::to_string(i)}};
    places_[i].seconds = &metrics.counter("holdfast_accelerator_busy_seconds_total",
                                          "Time that a worker's slot of a device spent on answers.", labels);
    places_[i].ratio = &metrics.gauge("holdfast_accelerator_utilization_ratio",
                                      "Share of the last quarter of a minute that a slot was busy.", labels);
  }
}

void ServeProbe::busy(size_t place, std::chrono::nanoseconds time) {
  if (place >= places_.size()) return;
  places_[place].seconds->add(std::chrono::duration<double>(time).count());
  places_[place].busy_ns += time.count();
}

void ServeProbe::refresh(std::chrono::nanoseconds now) {
  std::lock_guard lock(refreshing_);
  const double passed = static_cast<double>((now - refreshed_).count());
  const bool first = refreshed_.count() < 0;
  refreshed_ = now;
  for (Place& place : places_) {
    const int64_t busy = place.busy_ns;
    const auto spent = static_cast<double>(busy - place.seen_ns);
    place.seen_ns = busy;
    if (!first && passed > 0) place.ratio->set(std::clamp(spent / passed, 0.0, 1.0));
  }
}

}  // namespace holdfast::serve
