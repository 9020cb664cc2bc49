#include "base/ticks.h"

namespace holdfast {

std::chrono::nanoseconds SystemTicks::now() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace holdfast
