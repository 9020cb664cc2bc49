#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "observe/answered.h"
#include "observe/objective.h"
#include "observe/series.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::observe {

// The objectives of every record's endpoint: counted as requests end, shown as gauges when refreshed. Windows
// outlive a restart, but for what was counted after they were last saved. Safe from any thread.
class Objectives {
 public:
  Objectives(Promise usual, const SeriesNames& names, const Clock& clock, Metrics& metrics)
      : usual_(usual),
        names_(names),
        clock_(clock),
        origin_(clock.wall().time_since_epoch() - clock.now()),
        metrics_(metrics) {}

  static constexpr size_t records_max = 48;  // More have no objectives.

  void promise(const std::string& record, const Promise& promise);
  void count(const std::string& record, Outcome outcome, std::chrono::nanoseconds took);
  // Sets the gauges; the records whose gate closed since the last call.
  std::vector<std::string> refresh();

  // Both are the rounds'. What was saved is taken up once, after promises are known: a gate that was closed
  // then does not close again.
  Status load(sql::Database& database);
  Status save(sql::Database& database);

  struct View {
    Promise promise;
    std::array<IndicatorFigures, indicator_count> indicators;
  };
  // nullopt for a record that answered nothing yet.
  std::optional<View> view(const std::string& record) const;
  const Promise& usual() const { return usual_; }

 private:
  struct Kept {
    Promise promise;
    BudgetBook book{};
    bool gated = false;
  };
  // Since 1970, as it was when this began: it goes on evenly whatever the wall says.
  std::chrono::milliseconds now() const { return origin_ + clock_.now(); }
  static bool is_gated(const Kept& known, std::chrono::milliseconds now);
  Kept* kept(const std::string& record);
  void show(const std::string& record, Indicator indicator, const IndicatorFigures& figures);

  const Promise usual_;
  const SeriesNames& names_;
  const Clock& clock_;
  const std::chrono::milliseconds origin_;
  Metrics& metrics_;
  mutable std::mutex mutex_;  // Guards records_.
  std::map<std::string, Kept> records_;
};

}  // namespace holdfast::observe
