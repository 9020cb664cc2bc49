#include "serve/speed.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace holdfast::serve {
namespace {

using std::chrono::nanoseconds;

// A model that takes `batch` seconds for any batch and `unit` more for each unit, by a simulated clock that
// is off by a tenth here and there and stands still once in a while.
struct Model {
  double batch = 0.010, unit = 20e-6;
  std::mt19937_64 random;

  double truth(double cost) const { return batch + unit * cost; }
  nanoseconds run(double cost) {
    double seconds = truth(cost) * std::lognormal_distribution<double>(0, 0.1)(random);
    if (std::uniform_real_distribution<double>(0, 1)(random) < 0.03) seconds += 0.5;
    return nanoseconds(static_cast<int64_t>(1e9 * seconds));
  }
};

double seconds(std::optional<nanoseconds> time) {
  return std::chrono::duration<double>(time.value()).count();
}

TEST(SpeedTest, SaysNothingBeforeAFewMeasures) {
  Speed speed;
  EXPECT_FALSE(speed.at_least(1, 100).has_value());
  speed.measured(100, std::chrono::seconds(1));
  speed.measured(100, std::chrono::seconds(1));
  EXPECT_FALSE(speed.at_least(1, 100).has_value());
  EXPECT_FALSE(speed.expected(1, 100).has_value());
  speed.measured(100, std::chrono::seconds(1));
  EXPECT_NEAR(seconds(speed.expected(4, 400)), 4, 1e-6);
}

TEST(SpeedTest, LargeAfterSmallAndSmallAfterLargeAreToldByWhatABatchTakes) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    for (const double batch : {0.0, 0.001, 0.010, 0.100}) {
      for (const auto& [least, most, asked] :
           {std::tuple(20.0, 400.0, 8000.0), {4000.0, 8000.0, 20.0}, {100.0, 8000.0, 1000.0}}) {
        Model model{.batch = batch, .unit = 20e-6, .random = std::mt19937_64(seed)};
        Speed speed;
        std::uniform_real_distribution<double> cost(least, most);
        for (int i = 0; i < 64; ++i) {
          const double one = cost(model.random);
          speed.measured(one, model.run(one));
        }
        const double truth = model.truth(asked), usual = (least + most) / 2;
        // How far size can be told from what it is off by: what it costs over the sizes that were seen.
        if (20e-6 * (most - least) > 0.5 * batch) {
          EXPECT_NEAR(seconds(speed.expected(1, asked)), truth, 0.4 * truth + 0.4 * model.truth(usual))
              << "batch " << batch << ", cost " << asked << " after " << least << " to " << most;
        }
        EXPECT_LE(seconds(speed.at_least(1, asked)), 1.15 * truth + 0.05 * model.truth(usual))
            << "never refuse what may be kept";
        // Twenty of the usual size are told nearly to the mark.
        EXPECT_NEAR(seconds(speed.at_least(20, 20 * usual)), 20 * model.truth(usual), 4 * model.truth(usual));
      }
    }
  }
}

TEST(SpeedTest, OneSizeProvesNothingOfAnother) {
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    for (const double share : {0.0, 0.5, 1.0}) {  // Of the time, what size costs: it cannot be told.
      Model model{.batch = 0.1 * (1 - share), .unit = 0.001 * share, .random = std::mt19937_64(seed)};
      Speed speed;
      for (int i = 0; i < 40; ++i) speed.measured(100, model.run(100));
      EXPECT_LE(seconds(speed.at_least(1, 10'000)), 1.15 * model.truth(10'000));
      EXPECT_LE(seconds(speed.at_least(1, 1)), 1.15 * model.truth(1));
      EXPECT_NEAR(seconds(speed.at_least(30, 3'000)), 3, 0.6) << "but as many as it did";
    }
  }
}

TEST(SpeedTest, AStallAtTheBeginningIsForgotten) {
  Speed speed;
  speed.measured(100, std::chrono::seconds(2));
  for (int i = 0; i < 4; ++i) speed.measured(100 + i, std::chrono::milliseconds(10));
  EXPECT_NEAR(seconds(speed.expected(1, 100)), 0.010, 0.001);
}

TEST(SpeedTest, AChangeIsLearnt) {
  Model model{.batch = 0.010, .unit = 20e-6, .random = std::mt19937_64(1)};
  Speed speed;
  std::uniform_real_distribution<double> cost(100, 4000);
  for (const double slower : {1.0, 4.0, 1.0}) {
    model.batch = 0.010 * slower;
    model.unit = 20e-6 * slower;
    for (int i = 0; i < 40; ++i) {
      const double one = cost(model.random);
      speed.measured(one, model.run(one));
    }
    EXPECT_NEAR(seconds(speed.expected(1, 2000)), model.truth(2000), 0.2 * model.truth(2000));
  }
}

TEST(SpeedTest, NonsenseIsBounded) {
  Speed speed;
  for (const double cost : {-1.0, 0.0, std::nan(""), 1e300 * 1e300, 1e300, 1e12, 1e12, 1e-300, 1e12, 1.0})
    speed.measured(cost, std::chrono::seconds(1));
  for (const double cost : {0.0, 1.0, 1e300}) {
    EXPECT_GE(speed.at_least(1, cost).value().count(), 0);
    EXPECT_GE(speed.expected(3, cost).value().count(), 0);
  }
}

TEST(SpeedTest, AFewInARowThatAreFarOffAreAChange) {
  Speed speed;
  const auto batch = [&](double cost, double slower) {
    speed.measured(cost, std::chrono::microseconds(std::llround(slower * (4'000 + 40 * cost))));
  };
  const auto milliseconds_of = [&](double cost) {
    return std::chrono::duration<double, std::milli>(*speed.expected(1, cost)).count();
  };
  for (int i = 0; i < 32; ++i) batch(500 + 10 * i, 1 + 0.02 * (i % 5));
  for (int i = 0; i < 3; ++i) batch(600 + 10 * i, 5);
  EXPECT_NEAR(milliseconds_of(600), 29, 2) << "three may be a neighbour";
  batch(700, 5);
  EXPECT_NEAR(milliseconds_of(650), 150, 15);
  for (int i = 0; i < 32; ++i) batch(500 + 10 * i, 5 + 0.1 * (i % 5));
  for (int i = 0; i < 4; ++i) batch(600 + 10 * i, 1);
  EXPECT_NEAR(milliseconds_of(600), 28, 3) << "and back";
}

}  // namespace
}  // namespace holdfast::serve
