#pragma once

#include <cstddef>
#include <functional>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::cli {

// How many calls a second something takes, over windows of 50 ms or a call, whichever is longer.
struct CallRate {
  double median = 0, best = 0;
  double by_processor =
      0;  // Median by processor time of all threads, which others on the machine disturb less.
};

// Calls once to warm up, then for so long, and at least through one window.
Result<CallRate> measure_calls(const Clock& clock, std::chrono::milliseconds wanted,
                               const std::function<Status()>& call);

}  // namespace holdfast::cli
