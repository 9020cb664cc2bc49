#pragma once

#include "base/metrics.h"

namespace holdfast::serve {

// What this room measures. Safe from any thread.
class ServeProbe {
 public:
  explicit ServeProbe(Metrics& metrics);

  void answered(double seconds);
  void refused();  // The queue was full.
  void failed();
  void worker_started() { workers_.add(1); }
  void worker_stopped() { workers_.add(-1); }
  void worker_crashed() { crashes_.add(); }
  void batch(size_t inputs) { batch_inputs_.observe(static_cast<double>(inputs)); }

 private:
  Counter &answered_, &refused_, &failed_, &crashes_;
  Gauge& workers_;
  Histogram &seconds_, &batch_inputs_;
};

}  // namespace holdfast::serve
