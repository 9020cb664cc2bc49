#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include "base/metrics.h"
#include "serve/generation.h"

namespace holdfast::serve {

// What this room measures of its workers; requests are measured where they end (observe/). Safe from any
// thread.
class ServeProbe {
 public:
  // `places`: how many workers there may be at once.
  ServeProbe(Metrics& metrics, size_t places);

  void worker_started() { workers_.add(1); }
  void worker_stopped() { workers_.add(-1); }
  void worker_crashed() { crashes_.add(); }
  void batch(size_t inputs, double tokens) {
    batch_inputs_.observe(static_cast<double>(inputs));
    batch_tokens_.observe(tokens);
  }
  // The answers that a worker writes at once, each time something came of them.
  void writing(size_t answers) { writing_.observe(static_cast<double>(answers)); }
  void wrote(const GenerateEvent::End& end) {
    prompt_tokens_.add(end.prompt_tokens);
    reused_tokens_.add(end.reused_tokens);
    prompt_steps_.add(end.prompt_steps);
  }
  void asked_again() { again_.add(); }
  void cold_start() { cold_starts_.add(); }
  // Of all models together, for whoever decides how many servers there are.
  void replicas(size_t wanted, size_t waiting, std::chrono::milliseconds queue_delay) {
    wanted_.set(static_cast<double>(wanted));
    waiting_.set(static_cast<double>(waiting));
    queue_delay_.set(std::chrono::duration<double>(queue_delay).count());
  }
  // The worker in this place computed for so long.
  void busy(size_t place, std::chrono::nanoseconds time);
  // Sets how much of the time since the last call each place was busy.
  void refresh(std::chrono::nanoseconds now);

 private:
  struct Place {
    Counter* seconds = nullptr;
    Gauge* ratio = nullptr;
    std::atomic<int64_t> busy_ns = 0;
    int64_t seen_ns = 0;  // The refreshing thread's own.
  };

  Counter &crashes_, &again_, &cold_starts_, &prompt_tokens_, &reused_tokens_, &prompt_steps_;
  Gauge &workers_, &wanted_, &waiting_, &queue_delay_;
  Histogram &batch_inputs_, &batch_tokens_, &writing_;
  std::vector<Place> places_;
  std::mutex refreshing_;  // Guards the two below and seen_ns.
  std::chrono::nanoseconds refreshed_{-1};
};

}  // namespace holdfast::serve
