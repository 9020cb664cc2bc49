#include "measure/drop_monitor.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace holdfast::measure {
namespace {

constexpr size_t stakes_count = 24;

// log of the mean of exp.
double log_mean_exp(const std::vector<double>& values) {
  const double most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += std::exp(value - most);
  return most + std::log(sum / static_cast<double>(values.size()));
}

}  // namespace

// A bet multiplies wealth by 1 + stake * (deviation - tolerance), whose last factor is never below `lowest`:
// stakes below 1 / -lowest never lose all. They go down by equal ratios: large ones see a large drop soon,
// small ones a small drop in the end.
DropMonitor::DropMonitor(double expected, double lowest, const Options& options)
    : expected_(expected), options_(options), log_wealth_(stakes_count) {
  CHECK(options.false_alarm > 0 && options.false_alarm < 1 && options.tolerance >= 0 && lowest < 0);
  for (size_t i = 0; i < stakes_count; ++i)
    stakes_.push_back(0.95 / -lowest * std::pow(0.75, static_cast<double>(i)));
}

DropMonitor DropMonitor::against_rate(double rate, const Options& options) {
  CHECK(rate >= 0 && rate <= 1);
  return {rate, rate - 1 - options.tolerance - 1e-9, options};
}

DropMonitor DropMonitor::against_control(const Options& options) {
  return {0, -1 - options.tolerance, options};
}

void DropMonitor::observe(double value) { bet(expected_ - std::clamp(value, 0.0, 1.0)); }

void DropMonitor::observe_control(double value) {
  if (waiting_control_.size() < waiting_max) waiting_control_.push_back(std::clamp(value, 0.0, 1.0));
  pair_up();
}

void DropMonitor::observe_candidate(double value) {
  if (waiting_candidate_.size() < waiting_max) waiting_candidate_.push_back(std::clamp(value, 0.0, 1.0));
  pair_up();
}

// Oldest with oldest: which observations meet does not depend on their values.
void DropMonitor::pair_up() {
  while (!waiting_control_.empty() && !waiting_candidate_.empty()) {
    bet(waiting_control_.front() - waiting_candidate_.front());
    waiting_control_.erase(waiting_control_.begin());
    waiting_candidate_.erase(waiting_candidate_.begin());
  }
}

void DropMonitor::bet(double deviation) {
  ++bets_;
  drop_sum_ += deviation;
  for (size_t i = 0; i < stakes_.size(); ++i)
    log_wealth_[i] += std::log1p(stakes_[i] * (deviation - options_.tolerance));
  best_log_wealth_ = std::max(best_log_wealth_, log_mean_exp(log_wealth_));
  if (!alarmed_at_ && best_log_wealth_ >= -std::log(options_.false_alarm)) alarmed_at_ = bets_;
}

double DropMonitor::p() const { return std::exp(-best_log_wealth_); }

double DropMonitor::mean_drop() const { return bets_ == 0 ? 0 : drop_sum_ / static_cast<double>(bets_); }

DropMonitor::State DropMonitor::state() const {
  return {log_wealth_, waiting_control_, waiting_candidate_, best_log_wealth_, drop_sum_, bets_, alarmed_at_};
}

void DropMonitor::restore(const State& state) {
  CHECK(state.log_wealth.size() == log_wealth_.size());
  log_wealth_ = state.log_wealth;
  waiting_control_ = state.waiting_control;
  waiting_candidate_ = state.waiting_candidate;
  best_log_wealth_ = state.best_log_wealth;
  drop_sum_ = state.drop_sum;
  bets_ = state.bets;
  alarmed_at_ = state.alarmed_at;
}

}  // namespace holdfast::measure
