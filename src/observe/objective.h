#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast::observe {

// What an endpoint promises over 30 days: the share of valid requests that are answered, and the share of
// answers that take no longer than `latency`.
struct Promise {
  double availability = 0.999;
  std::chrono::milliseconds latency{300};
  double latency_share = 0.95;
  // Who said so: a usual latency that is missed wakes people, but freezes no releases.
  enum class Latency : uint8_t { usual, own } said = Latency::usual;
};

enum class Indicator : uint8_t { availability, latency };
inline constexpr int indicator_count = 2;
std::string_view indicator_name(Indicator indicator);

struct Window {
  std::string_view name;
  std::chrono::minutes length;
};
// The SRE Workbook's, chapter 5: a long window and its twelfth.
inline constexpr std::array<Window, 8> windows{{{"5m", std::chrono::minutes(5)},
                                                {"30m", std::chrono::minutes(30)},
                                                {"1h", std::chrono::minutes(60)},
                                                {"2h", std::chrono::minutes(120)},
                                                {"6h", std::chrono::minutes(360)},
                                                {"1d", std::chrono::minutes(1440)},
                                                {"3d", std::chrono::minutes(4320)},
                                                {"30d", std::chrono::minutes(43200)}}};

struct WindowFigures {
  int64_t valid = 0, bad = 0;
  double burn = 0;  // How many times faster than allowed the budget goes; 0 without requests.
};

enum class Alarm : uint8_t {
  gate,    // Above 4 over 1 h and 5 m: no risky release now.
  ticket,  // Above 3 over 1 d and 2 h, or above 1 over 3 d and 6 h.
  page,    // Above 14.4 over 1 h and 5 m, or above 6 over 6 h and 30 m.
};
inline constexpr int alarm_count = 3;
std::string_view alarm_name(Alarm alarm);

struct IndicatorFigures {
  double objective = 0;
  std::array<WindowFigures, windows.size()> by_window{};
  double budget_left = 1;  // Of 30 days; below 0: overdrawn.
  std::array<bool, alarm_count> alarms{};
};

// What one minute or one hour of an endpoint's requests came to.
struct BudgetCell {
  int64_t number = -1;  // Of its minute or hour.
  int64_t answered = 0, late = 0, bad = 0;
};

// Counts one endpoint's requests over time: minutes for six hours, hours for 30 days. Times never go back.
// One owner.
class BudgetBook {
 public:
  enum class Grain : uint8_t { minute, hour };
  struct Kept {
    Grain grain = Grain::minute;
    BudgetCell cell{};
  };
  // `late`: answered, but over the promised latency. A request that the caller spoilt is not counted at all.
  enum class Kind : uint8_t { good, late, bad };
  void count(std::chrono::milliseconds now, Kind kind);
  IndicatorFigures figures(Indicator indicator, const Promise& promise, std::chrono::milliseconds now) const;

  static constexpr int64_t minutes_kept = 361, hours_kept = 721, cells_max = minutes_kept + hours_kept;
  static constexpr int64_t bad_min = 5;  // In the long window: fewer wake nobody.

  // To keep it over a restart: what changed since this was last asked, whole cells; and such a cell put back,
  // added to what was counted meanwhile. One that is too old by now, or of a time that has not come, is not.
  std::vector<Kept> take_changed();
  void put_back(const Kept& kept, std::chrono::milliseconds now);
  // What was taken did not get where it should: the next time it is taken again.
  void take_all_again();
  // The number of the oldest cell that a window of `grain` at `now` may need.
  static int64_t oldest(Grain grain, std::chrono::milliseconds now);

 private:
  struct Cell : BudgetCell {
    bool changed = false;
    void take(int64_t now, Kind kind);
  };
  std::vector<Cell>& cells(Grain grain) { return grain == Grain::hour ? hours_ : minutes_; }
  WindowFigures sum(Indicator indicator, std::chrono::minutes length, std::chrono::milliseconds now) const;

  std::vector<Cell> minutes_ = std::vector<Cell>(minutes_kept), hours_ = std::vector<Cell>(hours_kept);
};

}  // namespace holdfast::observe
