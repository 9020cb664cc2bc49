#include "base/ticks.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Ticks, TheMachinesNeverGoBackAndManualOnesMoveWhenToldTo) {
  const SystemTicks system;
  const auto before = system.now();
  EXPECT_GE(system.now(), before);
  ManualTicks manual;
  EXPECT_EQ(manual.now().count(), 0);
  manual.advance(std::chrono::microseconds(3));
  EXPECT_EQ(manual.now(), std::chrono::nanoseconds(3000));
}

}  // namespace
}  // namespace holdfast
