#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "observe/answered.h"
#include "observe/objective.h"
#include "observe/series.h"

namespace holdfast::observe {

// The objectives of every record's endpoint: counted as requests end, shown as gauges when refreshed. Kept in
// memory: a new start begins new windows, and Prometheus keeps the old ones. Safe from any thread.
class Objectives {
 public:
  Objectives(Promise usual, const SeriesNames& names, Metrics& metrics)
      : usual_(usual), names_(names), metrics_(metrics) {}

  static constexpr size_t records_max = 48;  // More have no objectives.

  void promise(const std::string& record, const Promise& promise);
  void count(const std::string& record, std::chrono::milliseconds now, Outcome outcome,
             std::chrono::nanoseconds took);
  // Sets the gauges; the records whose gate closed since the last call.
  std::vector<std::string> refresh(std::chrono::milliseconds now);

  struct View {
    Promise promise;
    std::array<IndicatorFigures, indicator_count> indicators;
  };
  // nullopt for a record that answered nothing yet.
  std::optional<View> view(const std::string& record, std::chrono::milliseconds now) const;
  const Promise& usual() const { return usual_; }

 private:
  struct Kept {
    Promise promise;
    BudgetBook book{};
    bool gated = false;
  };
  Kept* kept(const std::string& record);
  void show(const std::string& record, Indicator indicator, const IndicatorFigures& figures);

  const Promise usual_;
  const SeriesNames& names_;
  Metrics& metrics_;
  mutable std::mutex mutex_;  // Guards records_.
  std::map<std::string, Kept> records_;
};

}  // namespace holdfast::observe
