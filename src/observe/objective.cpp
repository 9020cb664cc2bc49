#include "observe/objective.h"

#include <algorithm>
#include <utility>

namespace holdfast::observe {
namespace {

constexpr int64_t minute_ms = 60'000, hour_ms = 3'600'000;

const WindowFigures& over(const IndicatorFigures& figures, std::string_view name) {
  const auto found =
      std::find_if(windows.begin(), windows.end(), [&](const Window& window) { return window.name == name; });
  return figures.by_window[static_cast<size_t>(found - windows.begin())];
}

bool burns(const IndicatorFigures& figures, std::string_view longer, std::string_view shorter, double rate) {
  const WindowFigures& of_longer = over(figures, longer);
  return of_longer.bad >= BudgetBook::bad_min && of_longer.burn > rate && over(figures, shorter).burn > rate;
}

}  // namespace

std::string_view indicator_name(Indicator indicator) {
  switch (indicator) {
    case Indicator::availability:
      return "availability";
    case Indicator::latency:
      return "latency";
  }
  return "availability";
}

std::string_view alarm_name(Alarm alarm) {
  switch (alarm) {
    case Alarm::gate:
      return "gate";
    case Alarm::ticket:
      return "ticket";
    case Alarm::page:
      return "page";
  }
  return "page";
}

void BudgetBook::Cell::take(int64_t now, Kind kind) {
  if (number != now) *this = Cell{{.number = now}};
  changed = true;
  switch (kind) {
    case Kind::late:
      ++late;
      [[fallthrough]];
    case Kind::good:
      ++answered;
      return;
    case Kind::bad:
      ++bad;
      return;
  }
}

void BudgetBook::count(std::chrono::milliseconds now, Kind kind) {
  const int64_t minute = now.count() / minute_ms, hour = now.count() / hour_ms;
  minutes_[static_cast<size_t>(minute % minutes_kept)].take(minute, kind);
  hours_[static_cast<size_t>(hour % hours_kept)].take(hour, kind);
}

int64_t BudgetBook::oldest(Grain grain, std::chrono::milliseconds now) {
  return grain == Grain::hour ? now.count() / hour_ms - hours_kept + 1
                              : now.count() / minute_ms - minutes_kept + 1;
}

std::vector<BudgetBook::Kept> BudgetBook::take_changed() {
  std::vector<Kept> out;
  for (const Grain grain : {Grain::minute, Grain::hour})
    for (Cell& cell : cells(grain))
      if (std::exchange(cell.changed, false)) out.push_back({grain, cell});
  return out;
}

void BudgetBook::take_all_again() {
  for (const Grain grain : {Grain::minute, Grain::hour})
    for (Cell& cell : cells(grain)) cell.changed = cell.number >= 0;
}

void BudgetBook::put_back(const Kept& kept, std::chrono::milliseconds now) {
  const BudgetCell& back = kept.cell;
  const int64_t newest = now.count() / (kept.grain == Grain::hour ? hour_ms : minute_ms);
  if (back.number < 0 || back.number > newest || back.number < oldest(kept.grain, now)) return;
  std::vector<Cell>& of_grain = cells(kept.grain);
  Cell& cell = of_grain[static_cast<size_t>(back.number) % of_grain.size()];
  if (cell.number > back.number) return;
  if (cell.number != back.number) cell = Cell{{.number = back.number}};
  cell.changed = cell.answered + cell.bad > 0;
  cell.answered += back.answered;
  cell.late += back.late;
  cell.bad += back.bad;
}

// A window ends now and begins at the start of a minute, or of an hour where it is longer than six.
WindowFigures BudgetBook::sum(Indicator indicator, std::chrono::minutes length,
                              std::chrono::milliseconds now) const {
  const bool in_hours = length.count() >= minutes_kept;
  const std::vector<Cell>& cells = in_hours ? hours_ : minutes_;
  const int64_t last = now.count() / (in_hours ? hour_ms : minute_ms);
  const int64_t first = last - (in_hours ? length.count() / 60 : length.count()) + 1;
  WindowFigures out;
  for (const Cell& cell : cells) {
    if (cell.number < first || cell.number > last || cell.number < 0) continue;
    const bool availability = indicator == Indicator::availability;
    out.valid += availability ? cell.answered + cell.bad : cell.answered;
    out.bad += availability ? cell.bad : cell.late;
  }
  return out;
}

IndicatorFigures BudgetBook::figures(Indicator indicator, const Promise& promise,
                                     std::chrono::milliseconds now) const {
  IndicatorFigures out;
  out.objective = indicator == Indicator::availability ? promise.availability : promise.latency_share;
  const double allowed = std::max(1 - out.objective, 1e-9);
  for (size_t i = 0; i < windows.size(); ++i) {
    WindowFigures window = sum(indicator, windows[i].length, now);
    if (window.valid > 0)
      window.burn = static_cast<double>(window.bad) / static_cast<double>(window.valid) / allowed;
    out.by_window[i] = window;
  }
  out.budget_left = 1 - over(out, "30d").burn;
  const auto set = [&](Alarm alarm, bool fires) { out.alarms[static_cast<size_t>(alarm)] = fires; };
  set(Alarm::page, burns(out, "1h", "5m", 14.4) || burns(out, "6h", "30m", 6));
  set(Alarm::ticket, burns(out, "1d", "2h", 3) || burns(out, "3d", "6h", 1));
  set(Alarm::gate, burns(out, "1h", "5m", 4));
  return out;
}

}  // namespace holdfast::observe
