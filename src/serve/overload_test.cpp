// Far more is asked than one worker can do, by people who say how long they have: the queue itself, a worker
// that takes its time, and a simulated clock. What is let in has to be answered in time, whatever slows the
// worker down that its speed says nothing of.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "serve/slot_queue.h"

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

nanoseconds time_of(double seconds) { return nanoseconds(static_cast<int64_t>(seconds * 1e9)); }

// A worker that takes `batch` seconds for any batch and `unit` for each unit of cost, a tenth more or less,
// times what `slowness` says of the moment; then `pause` goes by that nobody measures.
struct Overload {
  double batch = 0.004, unit = 40e-6, pause = 0;
  size_t characters = 4 * 129;  // Of a request: a cost of 130.
  size_t later_characters = 0;  // Of those that come after the first second; 0: as many.
  double stated = 0.6;          // Seconds that each one has.
  std::function<double(double)> slowness = [](double) { return 1.0; };
  std::function<double(double)> stands = [](double) { return 0.0; };  // Seconds in which nothing is done.
  uint64_t seed = 1;

  double cost() const { return 1 + static_cast<double>(characters) / 4; }
  // Requests a second, in batches of the least size.
  double capacity() const {
    const double inputs = std::floor(options.batch_tokens_min / cost());
    return inputs / (batch + pause + unit * inputs * cost());
  }

  struct Counts {
    size_t answered = 0, late = 0, refused = 0;
    double late_share() const { return static_cast<double>(late) / static_cast<double>(answered + late); }
  };
  // Of those that came between these seconds.
  Counts run(double rate, double from, double until) {
    queue.add(seat);
    queue.started(seat, WorkerFacts{1, 8192, true, false, {}});
    std::mt19937_64 random(seed);
    std::exponential_distribution<double> between(rate);
    std::lognormal_distribution<double> noise(0, 0.1);
    double coming = between(random);
    while (coming < until || !running.empty()) {
      if (!running.empty() && done <= coming) {
        move_to(done);
        finish();
        begin(noise(random));
        continue;
      }
      if (coming >= until) {
        coming = 1e9;
        continue;
      }
      move_to(coming);
      come();
      if (running.empty()) begin(noise(random));
      coming += between(random);
    }
    Counts out;
    for (const Asked& one : asked) {
      if (one.came < from) continue;
      if (!one.let_in)
        ++out.refused;
      else if (one.answered > 0 && one.answered <= one.came + stated)
        ++out.answered;
      else
        ++out.late;
    }
    queue.remove(seat);
    return out;
  }

  struct Asked {
    double came = 0, answered = 0;
    bool let_in = false;
  };

  void move_to(double when) {
    ticks.advance(time_of(when) - ticks.now());
    clock.advance(std::chrono::duration_cast<milliseconds>(ticks.now()) - clock.now());
    now = when;
  }
  void come() {
    EmbedItem item;
    item.texts = {std::string(now > 1 && later_characters > 0 ? later_characters : characters, 'x')};
    auto [ticket, slices] = cut_request(std::move(item));
    slices[0].deadline = clock.now() + std::chrono::duration_cast<milliseconds>(time_of(stated));
    slices[0].first = 0;
    Asker asker;
    asker.key = "somebody";
    asked.push_back({.came = now});
    places[ticket.get()] = asked.size() - 1;
    tickets.push_back(ticket);
    asked.back().let_in = queue.push(std::move(slices), asker).ok();
  }
  void begin(double noise) {
    if (queue.waiting() == 0) return;
    running = queue.next(seat, {}).batch;
    if (running.empty()) return;
    double cost = 0;
    for (const Slice& slice : running) cost += slice.cost;
    took = (batch + unit * cost) * noise * slowness(now) + stands(now);
    measured = false;
    done = now + took;
  }
  void finish() {
    if (!measured) {
      queue.worked(seat, running, time_of(took), true);
      for (const Slice& slice : running) asked[places[slice.ticket.get()]].answered = now;
      measured = true;
      if (pause > 0) {
        done = now + pause;
        move_to(done);
      }
    }
    running.clear();
  }

  SlotOptions options{};
  ManualClock clock{};
  ManualTicks ticks{};
  std::unique_ptr<Metrics> metrics = make_metrics();
  ServeProbe probe{*metrics, 1};
  SlotQueue queue{options, probe, clock, ticks};
  SlotQueue::Seat seat{};
  std::vector<Slice> running{};
  std::vector<Asked> asked{};
  std::vector<std::shared_ptr<Ticket>> tickets{};
  std::map<const Ticket*, size_t> places{};
  double now = 0, done = 0, took = 0;
  bool measured = false;
};

constexpr double settled = 3, end = 23;

TEST(OverloadTest, WhatIsLetInWithADeadlineIsAnsweredByThen) {
  for (const uint64_t seed : {1, 2}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Overload overload{.seed = seed};
    const double capacity = overload.capacity();
    const auto counts = overload.run(5 * capacity, settled, end);
    EXPECT_LE(counts.late_share(), 0.05) << counts.answered << " answered, " << counts.late << " late";
    EXPECT_GE(static_cast<double>(counts.answered), 0.9 * capacity * (end - settled));
    EXPECT_GT(counts.refused, counts.answered);
  }
}

TEST(OverloadTest, AWorkerWhoseCoresOthersTakeIsFoundOutFromWhatWasLate) {
  for (const uint64_t seed : {1, 2}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Overload overload{.slowness = [](double at) { return at > 8 && at < 18 ? 5.0 : 1.0; }, .seed = seed};
    const double capacity = overload.capacity();
    const auto counts = overload.run(5 * capacity, settled, end);
    // What fits into a deadline was in, and as many again came before that was known.
    EXPECT_LE(static_cast<double>(counts.late), 2 * 1.2 * 0.6 * capacity)
        << counts.answered << " answered, " << counts.late << " late";
    EXPECT_GE(static_cast<double>(counts.answered), 0.8 * capacity * (end - settled - 10 + 10 / 5.0));
  }
}

TEST(OverloadTest, WhatGoesByBetweenBatchesIsFoundOutFromWhatWasLate) {
  for (const uint64_t seed : {1, 2}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Overload overload{.pause = 0.03, .seed = seed};
    const auto counts = overload.run(5 * overload.capacity(), settled, end);
    EXPECT_LE(counts.late_share(), 0.05) << counts.answered << " answered, " << counts.late << " late";
  }
}

TEST(OverloadTest, AWorkerThatStandsStillTakesOnlyThoseWithItThatWereIn) {
  for (const uint64_t seed : {1, 2}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Overload overload{.seed = seed};
    double stood = 0;
    overload.stands = [&](double at) {
      if (at < stood + 5) return 0.0;
      stood = at;
      return 1.5;
    };
    const double capacity = overload.capacity();
    const auto counts = overload.run(5 * capacity, settled, end);
    // What fits into a deadline was in, four times.
    EXPECT_LE(static_cast<double>(counts.late), 4 * 1.2 * 0.6 * capacity)
        << counts.answered << " answered, " << counts.late << " late";
    EXPECT_GE(static_cast<double>(counts.answered), 0.5 * capacity * (end - settled));
  }
}

TEST(OverloadTest, WhatWasMeasuredOfSmallOnesRefusesNoLargeOnes) {
  for (const uint64_t seed : {1, 2}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    // A twentieth of a second each, eight a second, and five seconds for each.
    Overload overload{.unit = 400e-6, .characters = 8, .later_characters = 500, .stated = 5, .seed = seed};
    const auto counts = overload.run(8, 0, 20);
    EXPECT_EQ(counts.refused, 0u);
    EXPECT_EQ(counts.late, 0u);
    EXPECT_GT(counts.answered, 100u);
  }
}

}  // namespace
}  // namespace holdfast::serve
