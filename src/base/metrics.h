#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast {

// The program's measurements, kept by prometheus-cpp behind this header and shown by GET /metrics. Names
// start with holdfast_, carry base units (_seconds, _bytes) and _total for counters. A label never takes a
// value a user chooses. Each room has one probe file that owns all its names; business code tells the probe
// what happened.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double amount = 1) = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Hands out metrics it owns; they live as long as it does. Asking twice for the same name and labels gives
// the same one. Safe from any thread, and so are the metrics.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual Counter& counter(const std::string& name, const std::string& help,
                           const MetricLabels& labels = {}) = 0;
  virtual Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {}) = 0;
  virtual Histogram& histogram(const std::string& name, const std::string& help,
                               const std::vector<double>& bounds, const MetricLabels& labels = {}) = 0;
  // The text exposition format, version 0.0.4.
  virtual std::string text() const = 0;
};
std::unique_ptr<Metrics> make_metrics();

}  // namespace holdfast
