#include "observe/objectives.h"

#include <set>

#include "observe/budget_store.h"

namespace holdfast::observe {
namespace {

// Of the windows, those that pages are decided by; Prometheus has the longer ones from the counters.
bool is_shown(const Window& window) {
  return window.length <= std::chrono::hours(6) && window.length != std::chrono::hours(2);
}

}  // namespace

Objectives::Kept* Objectives::kept(const std::string& record) {
  const auto known = records_.find(record);
  if (known != records_.end()) return &known->second;
  if (records_.size() >= records_max) return nullptr;
  return &records_.emplace(record, Kept{.promise = usual_}).first->second;
}

void Objectives::promise(const std::string& record, const Promise& promise) {
  std::lock_guard lock(mutex_);
  if (Kept* known = kept(record)) known->promise = promise;
}

void Objectives::count(const std::string& record, Outcome outcome, std::chrono::nanoseconds took) {
  if (outcome == Outcome::rejected) return;
  std::lock_guard lock(mutex_);
  Kept* known = kept(record);
  if (known == nullptr) return;
  using Kind = BudgetBook::Kind;
  const bool late = took > known->promise.latency;
  known->book.count(now(), outcome != Outcome::answered ? Kind::bad : late ? Kind::late : Kind::good);
}

void Objectives::show(const std::string& record, Indicator indicator, const IndicatorFigures& figures) {
  const MetricLabels labels{{"endpoint", names_.endpoint_of(record)},
                            {"slo", std::string(indicator_name(indicator))}};
  const auto with = [&](const char* name, std::string_view value) {
    MetricLabels more = labels;
    more.emplace_back(name, value);
    return more;
  };
  metrics_.gauge("holdfast_slo_objective_ratio", "Share of good events that is promised.", labels)
      .set(figures.objective);
  metrics_
      .gauge("holdfast_slo_error_budget_left_ratio", "What is left of the error budget of 30 days.", labels)
      .set(figures.budget_left);
  for (size_t i = 0; i < windows.size(); ++i)
    if (is_shown(windows[i]))
      metrics_
          .gauge("holdfast_slo_burn_rate", "How many times too fast the error budget goes.",
                 with("window", windows[i].name))
          .set(figures.by_window[i].burn);
  for (int i = 0; i < alarm_count; ++i)
    metrics_
        .gauge("holdfast_slo_alarm", "1 while the budget burns as fast as calls for this.",
               with("severity", alarm_name(static_cast<Alarm>(i))))
        .set(figures.alarms[static_cast<size_t>(i)] ? 1 : 0);
}

bool Objectives::is_gated(const Kept& known, std::chrono::milliseconds now) {
  for (int i = 0; i < indicator_count; ++i) {
    const auto indicator = static_cast<Indicator>(i);
    const bool freezes = indicator == Indicator::availability || known.promise.said == Promise::Latency::own;
    const IndicatorFigures figures = known.book.figures(indicator, known.promise, now);
    if (freezes && figures.alarms[static_cast<size_t>(Alarm::gate)]) return true;
  }
  return false;
}

Status Objectives::load(sql::Database& database) {
  TRY(const std::vector<BudgetRow> rows, load_budgets(database, records_max * BudgetBook::cells_max));
  std::lock_guard lock(mutex_);
  const auto at = now();
  std::set<Kept*> taken_up;
  for (const BudgetRow& row : rows)
    if (Kept* known = kept(row.record)) {
      known->book.put_back(row.kept, at);
      taken_up.insert(known);
    }
  for (Kept* known : taken_up) known->gated = is_gated(*known, at);
  return Done{};
}

Status Objectives::save(sql::Database& database) {
  std::vector<BudgetRow> rows;
  {
    std::lock_guard lock(mutex_);
    for (auto& [record, known] : records_)
      for (const BudgetBook::Kept& changed : known.book.take_changed()) rows.push_back({record, changed});
  }
  if (rows.empty()) return Done{};
  Status saved = save_budgets(database, rows, now());
  if (saved.ok()) return saved;
  std::lock_guard lock(mutex_);
  for (auto& [record, known] : records_) known.book.take_all_again();
  return saved;
}

std::vector<std::string> Objectives::refresh() {
  std::lock_guard lock(mutex_);
  const auto at = now();
  std::vector<std::string> closed;
  for (auto& [record, known] : records_) {
    for (int i = 0; i < indicator_count; ++i) {
      const auto indicator = static_cast<Indicator>(i);
      show(record, indicator, known.book.figures(indicator, known.promise, at));
    }
    const bool gated = is_gated(known, at);
    if (gated && !known.gated) closed.push_back(record);
    known.gated = gated;
  }
  return closed;
}

std::optional<Objectives::View> Objectives::view(const std::string& record) const {
  std::lock_guard lock(mutex_);
  const auto known = records_.find(record);
  if (known == records_.end()) return std::nullopt;
  View out{.promise = known->second.promise, .indicators = {}};
  for (int i = 0; i < indicator_count; ++i)
    out.indicators[static_cast<size_t>(i)] =
        known->second.book.figures(static_cast<Indicator>(i), out.promise, now());
  return out;
}

}  // namespace holdfast::observe
