#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "net/client.h"
#include "observe/span.h"

namespace holdfast::observe {

struct TraceOptions {
  std::string endpoint;         // "http://collector:4318"; empty: no traces leave.
  double sample_percent = 100;  // Of traces that begin here; a caller's own decision is followed.
  std::string program_version;
  size_t waiting_spans_max = 4096;  // More are dropped and counted.
  size_t batch_spans_max = 512;
  std::chrono::milliseconds batch_wait{1'000};  // Real time.
  std::chrono::milliseconds send_timeout{5'000};
  int tries = 3;
};

// Sends spans to a collector by OTLP over HTTP as JSON (POST /v1/traces), from a thread of its own. `offer`
// takes spans or drops them at once: no request ever waits for a collector. Safe from any thread.
class TraceExporter {
 public:
  virtual ~TraceExporter() = default;  // Sends what waits, once.
  // Whether a trace is to be recorded: `parented` ones as their caller decided.
  virtual bool wants(const std::string& trace, bool parented, bool sampled) const = 0;
  virtual void offer(std::vector<Span> spans) = 0;
};
std::unique_ptr<TraceExporter> start_trace_exporter(TraceOptions options, net::Client& client, Log& log,
                                                    Metrics& metrics);

}  // namespace holdfast::observe
