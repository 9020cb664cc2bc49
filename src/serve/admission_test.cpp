#include "serve/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

nanoseconds time_of(double seconds) { return nanoseconds(static_cast<int64_t>(seconds * 1e9)); }

// A worker that takes `batch` seconds for any batch and `unit` for each unit of cost, a tenth more or less,
// and the queue before it, by a simulated clock: requests come at a rate, whatever becomes of them.
struct Simulation {
  double batch = 0.004, unit = 40e-6, cost_least = 60, cost_most = 60;
  milliseconds limit{300};
  uint64_t seed = 1;

  static constexpr double settled = 2;  // By then its speed is known and the first crowd is over.
  std::vector<double> answered = {};    // Seconds that each one took that came after that.
  size_t refused = 0;

  double mean_cost() const { return (cost_least + cost_most) / 2; }
  // Requests a second, in batches of the least size.
  double capacity() const {
    const double inputs = std::max(options.batch_tokens_min / mean_cost(), 1.0);
    return inputs / (batch + unit * inputs * mean_cost());
  }
  void run(double rate, double seconds) {
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> between(rate);
    std::uniform_real_distribution<double> size(cost_least, cost_most);
    double now = between(random);
    while (now < seconds) {
      if (!running.empty() && done <= now) {
        finish();
        continue;
      }
      come(now, size(random), random);
      now += between(random);
    }
    while (!running.empty()) finish();
  }

  struct Request {
    double cost, came;
  };
  void come(double now, double cost, std::mt19937_64& random) {
    BatchesAhead ahead{.cost = waiting_cost, .slices = static_cast<double>(waiting.size()), .own = cost};
    if (!running.empty())
      if (const auto whole = speed.at_least(1, running_cost))
        ahead.running = std::max(*whole - time_of(now - began), nanoseconds{});
    const Forecast told = forecast(options, speed, ahead);
    if (told.turn &&
        !crowd.lets_in(milliseconds(static_cast<int64_t>(now * 1e3)), *told.turn, *told.likely, limit) &&
        !waiting.empty()) {
      ++refused;
      return;
    }
    waiting.push_back({cost, now});
    waiting_cost += cost;
    noise = &random;
    if (running.empty()) begin(now);
  }
  void begin(double now) {
    if (waiting.empty()) return;
    const double budget = std::clamp(waiting_cost / 2, options.batch_tokens_min, options.batch_tokens_max);
    running_cost = 0;
    while (!waiting.empty() && (running.empty() || (running_cost + waiting.front().cost <= budget &&
                                                    running.size() < options.batch_inputs_max))) {
      running_cost += waiting.front().cost;
      running.push_back(waiting.front());
      waiting.pop_front();
    }
    waiting_cost -= running_cost;
    began = now;
    done = now + (batch + unit * running_cost) * std::lognormal_distribution<double>(0, 0.1)(*noise);
  }
  void finish() {
    speed.measured(running_cost, time_of(done - began));
    for (const Request& one : running)
      if (one.came >= settled) answered.push_back(done - one.came);
    running.clear();
    begin(done);
  }

  SlotOptions options{};
  Speed speed{};
  Crowd crowd{};
  std::deque<Request> waiting{};
  std::vector<Request> running{};
  double waiting_cost = 0, running_cost = 0, began = 0, done = 0;
  std::mt19937_64* noise = nullptr;
};

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())))];
}

TEST(AdmissionTest, WhatIsLetInAtFiveTimesTheCapacityIsAnsweredInTwiceTheLimit) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    for (const auto& [least, most] : {std::pair(60.0, 60.0), {10.0, 400.0}, {100.0, 3000.0}}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", cost " << least << " to " << most);
      Simulation simulation{.cost_least = least, .cost_most = most, .seed = seed};
      simulation.run(5 * simulation.capacity(), 22);
      EXPECT_LE(percentile(simulation.answered, 0.95), 0.6);
      EXPECT_GE(static_cast<double>(simulation.answered.size()), 0.9 * 20 * simulation.capacity());
      EXPECT_GT(simulation.refused, simulation.answered.size());
    }
  }
}

TEST(AdmissionTest, NobodyIsRefusedBelowTheCapacity) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    Simulation simulation{.cost_least = 10, .cost_most = 400, .seed = seed};
    simulation.run(0.6 * simulation.capacity(), 20);
    EXPECT_EQ(simulation.refused, 0u) << "seed " << seed;
  }
}

TEST(AdmissionTest, AShortCrowdIsLetInAndALongOneIsNot) {
  const milliseconds most(300), wait(550), burst(2'100);
  Crowd crowd;
  EXPECT_TRUE(crowd.lets_in(milliseconds(0), wait, wait, most));
  EXPECT_FALSE(crowd.lets_in(milliseconds(1), burst, burst, most)) << "that is more than a crowd";
  EXPECT_TRUE(crowd.lets_in(milliseconds(900), wait, wait, most));
  EXPECT_TRUE(crowd.lets_in(milliseconds(950), milliseconds(100), milliseconds(100), most)) << "it was short";
  EXPECT_TRUE(crowd.lets_in(milliseconds(1'500), wait, wait, most));
  EXPECT_FALSE(crowd.lets_in(milliseconds(2'500), wait, wait, most)) << "a second of it";
  EXPECT_TRUE(crowd.lets_in(milliseconds(2'600), milliseconds(250), milliseconds(250), most));
  EXPECT_FALSE(crowd.lets_in(milliseconds(4'000), wait, wait, most)) << "it was never short for a second";
  EXPECT_TRUE(crowd.lets_in(milliseconds(4'100), milliseconds(10), milliseconds(10), most));
  EXPECT_TRUE(crowd.lets_in(milliseconds(5'100), milliseconds(10), milliseconds(10), most));
  EXPECT_TRUE(crowd.lets_in(milliseconds(5'200), wait, wait, most));
}

TEST(AdmissionTest, AnswersThatAreWrittenWaitForAPlaceOnly) {
  SlotOptions options;
  options.writing_max = 4;
  Speed speed;  // Of four at once that take 4 seconds each.
  for (int i = 0; i < 8; ++i) speed.measured(100, std::chrono::seconds(1));
  const auto of = [&](size_t writing, double waiting) {
    return forecast(options, speed, 4,
                    AnswersAhead{.cost = 100 * waiting, .answers = waiting, .own = 100, .writing = writing});
  };
  EXPECT_EQ(of(2, 0).turn.value(), nanoseconds{});
  EXPECT_LE(of(0, 0).whole.value(), std::chrono::seconds(1)) << "alone it may be four times as fast";
  EXPECT_GE(of(3, 0).whole.value(), std::chrono::milliseconds(3'500));
  EXPECT_NEAR(std::chrono::duration<double>(of(4, 4).likely.value()).count(), 5, 0.01);
  EXPECT_FALSE(forecast(options, Speed(), 0, AnswersAhead{.own = 100, .writing = 9}).whole.has_value());
}

}  // namespace
}  // namespace holdfast::serve
