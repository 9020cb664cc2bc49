#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/metrics.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/check.h"

namespace holdfast {
namespace {

// A name the naming rules refuse is a slip of the programmer, found by the first test that touches the probe.
bool good_name(std::string_view name) {
  if (!name.starts_with("holdfast_") || name.size() > 100) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool good_label(std::string_view name) {
  if (name.empty() || name == "le" || name.starts_with("__") || (name[0] >= '0' && name[0] <= '9'))
    return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

constexpr size_t series_max = 1000;  // Of one name: more means that a label takes values users choose.

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void add(double amount) override { counter_.Increment(amount); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }
  void add(double amount) override { gauge_.Increment(amount); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

// The series of one kind, by name and labels.
template <class Wrapper>
using Series = std::map<std::string, std::map<MetricLabels, Wrapper>>;

prometheus::Labels as_prometheus(const MetricLabels& labels) {
  prometheus::Labels converted;
  for (const auto& [name, value] : labels) {
    CHECK(good_label(name));
    CHECK(converted.emplace(name, value).second);
  }
  return converted;
}

class PrometheusMetrics final : public Metrics {
 public:
  Counter& counter(const std::string& name, const std::string& help, const MetricLabels& labels) override {
    std::lock_guard lock(mutex_);
    CHECK(name.ends_with("_total"));
    return series(counters_, name, labels, [&](const prometheus::Labels& converted) -> prometheus::Counter& {
      return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(converted);
    });
  }

  Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels) override {
    std::lock_guard lock(mutex_);
    CHECK(!name.ends_with("_total"));
    return series(gauges_, name, labels, [&](const prometheus::Labels& converted) -> prometheus::Gauge& {
      return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(converted);
    });
  }

  Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                       const MetricLabels& labels) override {
    std::lock_guard lock(mutex_);
    CHECK(std::is_sorted(bounds.begin(), bounds.end()));
    return series(histograms_, name, labels,
                  [&](const prometheus::Labels& converted) -> prometheus::Histogram& {
                    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(
                        converted, bounds);
                  });
  }

  std::string text() const override { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

 private:
  template <class Wrapper, class Make>
  Wrapper& series(Series<Wrapper>& all, const std::string& name, MetricLabels labels, const Make& make) {
    CHECK(good_name(name));
    std::sort(labels.begin(), labels.end());
    auto& named = all[name];
    const auto found = named.find(labels);
    if (found != named.end()) return found->second;
    CHECK(named.size() < series_max);
    const prometheus::Labels converted = as_prometheus(labels);
    return named.emplace(std::move(labels), Wrapper(make(converted))).first->second;
  }

  std::mutex mutex_;  // Guards the maps; the registry has a lock of its own.
  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
  Series<PrometheusCounter> counters_;
  Series<PrometheusGauge> gauges_;
  Series<PrometheusHistogram> histograms_;
};

}  // namespace

std::unique_ptr<Metrics> make_metrics() { return std::make_unique<PrometheusMetrics>(); }

}  // namespace holdfast
