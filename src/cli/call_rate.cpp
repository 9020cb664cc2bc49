#include "cli/call_rate.h"

#include <algorithm>
#include <ctime>
#include <vector>

namespace holdfast::cli {

Result<CallRate> measure_calls(const Clock& clock, std::chrono::milliseconds wanted,
                               const std::function<Status()>& call) {
  TRY_DONE(call());
  std::vector<double> rates, by_processor;
  const auto began = clock.now();
  do {
    const auto start = clock.now();
    const std::clock_t processor = std::clock();
    double calls = 0;
    std::chrono::milliseconds took{};
    do {
      TRY_DONE(call());
      ++calls;
      took = clock.now() - start;
    } while (took < std::chrono::milliseconds(50));
    rates.push_back(1000.0 * calls / static_cast<double>(took.count()));
    by_processor.push_back(calls * CLOCKS_PER_SEC /
                           std::max(1.0, static_cast<double>(std::clock() - processor)));
  } while (clock.now() - began < wanted);
  std::sort(rates.begin(), rates.end());
  std::sort(by_processor.begin(), by_processor.end());
  return CallRate{rates[rates.size() / 2], rates.back(), by_processor[by_processor.size() / 2]};
}

}  // namespace holdfast::cli
