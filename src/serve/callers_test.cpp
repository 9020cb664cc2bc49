#include "serve/callers.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

class CallersTest : public testing::Test {
 protected:
  Callers& open(CallerOptions::Unusual unusual) {
    callers_.emplace(CallerOptions{.unusual = unusual}, clock_, log_, *metrics_);
    return *callers_;
  }
  Status ask(const std::string& key) { return callers_->came(key, wait_); }
  size_t told() const { return sink_.lines().size(); }

  ManualClock clock_;
  MemoryLogSink sink_;
  Log log_{sink_, clock_, LogLevel::warn};
  std::unique_ptr<Metrics> metrics_ = make_metrics();
  std::optional<Callers> callers_;
  std::chrono::milliseconds wait_{};
};

TEST_F(CallersTest, AnAttackIsToldOnceAndAnOrdinaryStreamWithSlipsIsQuiet) {
  Callers& callers = open(CallerOptions::Unusual::tell);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(ask("token:1").ok());
    if (i % 50 == 0) callers.was_odd("token:1", Oddity::shape);  // A slip now and then.
    clock_.advance(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(told(), 0U);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(ask("token:2").ok());  // Told of, not limited.
    callers.was_odd("token:2", Oddity::sign);
    clock_.advance(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(told(), 1U);
  EXPECT_TRUE(callers.is_unusual("token:2"));
  EXPECT_FALSE(callers.is_unusual("token:1"));
  clock_.advance(std::chrono::minutes(6));
  EXPECT_FALSE(callers.is_unusual("token:2"));
}

TEST_F(CallersTest, WhoIsLimitedHasOneRequestASecondAndNobodyElseIs) {
  Callers& callers = open(CallerOptions::Unusual::limit);
  for (int i = 0; i < 10; ++i) {
    (void)ask("token:2");
    callers.was_odd("token:2", Oddity::sign);
  }
  ASSERT_TRUE(callers.is_unusual("token:2"));
  clock_.advance(std::chrono::seconds(2));
  EXPECT_TRUE(ask("token:2").ok());
  EXPECT_EQ(ask("token:2").error().reason, Reason::rate_limited);
  EXPECT_GT(wait_.count(), 0);
  EXPECT_LE(wait_.count(), 1000);
  EXPECT_TRUE(ask("token:1").ok());
  clock_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(ask("token:2").ok());
  clock_.advance(std::chrono::minutes(6));
  EXPECT_TRUE(ask("token:2").ok());
  EXPECT_TRUE(ask("token:2").ok());
}

TEST_F(CallersTest, AFewOddInputsOfSomebodyNewAreNothing) {
  Callers& callers = open(CallerOptions::Unusual::limit);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ask("token:3").ok());
    callers.was_odd("token:3", Oddity::characters);
  }
  EXPECT_EQ(told(), 0U);
  EXPECT_TRUE(ask("token:3").ok());
}

}  // namespace
}  // namespace holdfast::serve
