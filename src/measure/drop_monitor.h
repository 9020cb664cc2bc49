#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace holdfast::measure {

// Watches a rate live and says when it has dropped, with a stated chance of a false alarm however long it
// watches and however often it is asked. A test by betting (Waudby-Smith and Ramdas, JRSS B 86, 2024): wealth
// staked against "no drop" in a mixture of bet sizes; while there is none, the wealth exceeds 1 / false_alarm
// with at most that probability (Ville). One owner; the state can be stored and taken up again.
class DropMonitor {
 public:
  struct Options {
    double tolerance = 0.0;     // A drop up to this is none.
    double false_alarm = 0.01;  // Over the whole life of the monitor.
  };

  // Observations in [0, 1] (1 is right) against a known rate: no drop means their mean is >= rate -
  // tolerance.
  static DropMonitor against_rate(double rate, const Options& options);
  // Pairs of observations from the version in use and the candidate: no drop means that the candidate's mean
  // is >= the other's - tolerance. Each observation is used once; unpaired ones wait (at most waiting_max of
  // the one kind).
  static DropMonitor against_control(const Options& options);

  void observe(double value);            // against_rate
  void observe_control(double value);    // against_control: from the version in use
  void observe_candidate(double value);  // against_control: from the candidate

  bool alarmed() const { return alarmed_at_.has_value(); }
  // Bets made when the alarm was raised.
  std::optional<size_t> alarmed_at() const { return alarmed_at_; }
  size_t bets() const { return bets_; }
  // Valid at any time: the chance of evidence as strong as ever seen, if there were no drop.
  double p() const;
  // Mean of the deviations seen: how far below the expected rate (or the control) the values lie.
  double mean_drop() const;

  struct State {
    std::vector<double> log_wealth;
    std::vector<double> waiting_control, waiting_candidate;
    double best_log_wealth = 0, drop_sum = 0;
    size_t bets = 0;
    std::optional<size_t> alarmed_at;
  };
  State state() const;
  void restore(const State& state);

  static constexpr size_t waiting_max = 10'000;

 private:
  DropMonitor(double expected, double lowest, const Options& options);
  void bet(double deviation);
  void pair_up();

  double expected_ = 0;  // The rate, or 0 against a control.
  Options options_;
  std::vector<double> stakes_, log_wealth_;
  std::vector<double> waiting_control_, waiting_candidate_;
  double best_log_wealth_ = 0, drop_sum_ = 0;
  size_t bets_ = 0;
  std::optional<size_t> alarmed_at_;
};

}  // namespace holdfast::measure
