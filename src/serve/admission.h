#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "serve/slot_options.h"
#include "serve/speed.h"

namespace holdfast::serve {

// How long one that comes now has to wait, as far as the speed of late proves it; none where it proves
// nothing.
struct Forecast {
  std::optional<std::chrono::nanoseconds> turn, whole;  // Until its turn at least; until it is answered.
  std::optional<std::chrono::nanoseconds> likely;       // Until its turn, about: when to come again.
  bool sure = false;  // There is a whole, and what came of such forecasts says how far off it may be.
};

// What a request finds before it that is answered in batches. Costs are of the queue's own unit.
struct BatchesAhead {
  double cost = 0, slices = 0;         // That go first.
  double own = 0;                      // Its own.
  std::chrono::nanoseconds running{};  // What is left at least of the batches that run, all workers together.
  size_t workers = 1;
};
Forecast forecast(const SlotOptions& options, const Speed& speed, const BatchesAhead& ahead);

// What an answer that is written finds before it. `speed` is of one answer among `at_once` of a worker, each
// of which had that share of its time.
struct AnswersAhead {
  double cost = 0, answers = 0;  // That wait and go first.
  double own = 0;
  size_t writing = 0;  // Now, of all workers.
  size_t workers = 1;
};
Forecast forecast(const SlotOptions& options, const Speed& speed, double at_once, const AnswersAhead& ahead);

// Whether one that would wait for long is let in. A crowd that is soon over is; where the queue has been too
// long for a while, nobody is who would make it so again, until it was short for as long. Not safe from
// several threads.
class Crowd {
 public:
  // How long one that comes at `now`, on the Clock, has to wait, as far as that is proven, and likely; and
  // the most that it is to be. A crowd must be proven; in one, what is likely counts.
  bool lets_in(std::chrono::milliseconds now, std::chrono::nanoseconds proven,
               std::chrono::nanoseconds likely, std::chrono::milliseconds most);

 private:
  // How long a queue may be too long, and how long it may get meanwhile: so many times the most, or so much.
  static constexpr std::chrono::milliseconds lasting{1'000}, burst_least{2'000};
  static constexpr int burst = 2;

  std::optional<std::chrono::milliseconds> long_since_, short_since_;
  bool crowded_ = false;
};

}  // namespace holdfast::serve
