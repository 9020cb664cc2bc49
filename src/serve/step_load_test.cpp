// The load rises at once to more than one worker can do: the queue itself, the scaler as the server has it by
// default, workers that take their time to load and to answer, and a simulated clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "serve/scaling.h"
#include "serve/slot_queue.h"

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

nanoseconds time_of(double seconds) { return nanoseconds(static_cast<int64_t>(seconds * 1e9)); }

constexpr double never = 1e9, look_every = 0.25;

struct StepLoad {
  double batch = 0.004, unit = 40e-6;  // Seconds of a batch, and of each unit of cost in it.
  double loading = 2;                  // Of a worker.
  milliseconds queue_delay{300};       // limits.queue-delay as it is by default.
  Replicas bounds{.least = 1, .most = 4};
  uint64_t seed = 1;
  static constexpr size_t characters = 4 * 129;

  double capacity() const {  // Of one worker, requests a second in batches of the least size.
    const double cost = 1 + characters / 4, inputs = std::floor(options.batch_tokens_min / cost);
    return inputs / (batch + unit * inputs * cost);
  }

  struct Worker {
    SlotQueue::Seat seat{};
    double loaded_at = never, done = never, took = 0;
    std::vector<Slice> running{};
    bool asked_to_leave = false;
  };
  struct Asked {
    double came = 0, answered = 0;
    bool let_in = false;
  };

  void run(const std::function<double(double)>& rate, double until) {
    std::mt19937_64 random(seed);
    add_worker();
    workers.front()->loaded_at = 0;
    double coming = 0, look = 0;
    while (true) {
      double at = std::min(coming, look);
      for (const auto& worker : workers) at = std::min({at, worker->loaded_at, worker->done});
      if (at >= until) break;
      move_to(at);
      if (at == look) {
        scale();
        look += look_every;
      } else if (at == coming) {
        come();
        coming += std::exponential_distribution<double>(rate(now))(random);
      }
      for (const auto& worker : workers) {
        if (worker->loaded_at <= now) {
          worker->loaded_at = never;
          queue.started(worker->seat, WorkerFacts{1, 8192, true, false, {}});
        }
        if (worker->done <= now) finish(*worker);
      }
      for (const auto& worker : workers) begin(*worker, random);
      std::erase_if(workers, [&](const auto& worker) {
        if (!worker->asked_to_leave || !worker->running.empty()) return false;
        queue.remove(worker->seat);
        return true;
      });
    }
    for (const auto& worker : workers) queue.remove(worker->seat);
  }

  void move_to(double when) {
    ticks.advance(time_of(when) - ticks.now());
    clock.advance(std::chrono::duration_cast<milliseconds>(ticks.now()) - clock.now());
    now = when;
  }
  void add_worker() {
    workers.push_back(std::make_unique<Worker>());
    workers.back()->seat.starting = true;  // Nobody else is: the scaler waits for those that start.
    workers.back()->loaded_at = now + loading;
    queue.add(workers.back()->seat);
  }
  size_t staying() const {
    return static_cast<size_t>(std::count_if(workers.begin(), workers.end(),
                                             [](const auto& worker) { return !worker->asked_to_leave; }));
  }
  void scale() {
    wanted = scaler.wanted(clock.now(), queue.load(), bounds, wanted);
    while (staying() < wanted) add_worker();
    while (staying() > wanted) {
      const auto youngest = std::find_if(workers.rbegin(), workers.rend(),
                                         [](const auto& worker) { return !worker->asked_to_leave; });
      (*youngest)->asked_to_leave = true;
      queue.leave((*youngest)->seat);
    }
    at_once.emplace_back(now, queue.ready());
  }
  void come() {
    EmbedItem item;
    item.texts = {std::string(characters, 'x')};
    auto [ticket, slices] = cut_request(std::move(item));
    slices[0].deadline = clock.now() + milliseconds(60'000);
    Asker asker;
    asker.key = "somebody";
    asker.queue_delay_max = queue_delay;
    asked.push_back({.came = now});
    places[ticket.get()] = asked.size() - 1;
    tickets.push_back(ticket);
    asked.back().let_in = queue.push(std::move(slices), asker).ok();
  }
  void begin(Worker& worker, std::mt19937_64& random) {
    if (!worker.running.empty() || worker.asked_to_leave || !worker.seat.ready || queue.waiting() == 0)
      return;
    worker.running = queue.next(worker.seat, {}).batch;
    if (worker.running.empty()) return;
    double cost = 0;
    for (const Slice& slice : worker.running) cost += slice.cost;
    worker.took = (batch + unit * cost) * std::lognormal_distribution<double>(0, 0.1)(random);
    worker.done = now + worker.took;
  }
  void finish(Worker& worker) {
    queue.worked(worker.seat, worker.running, time_of(worker.took), true);
    for (const Slice& slice : worker.running) asked[places[slice.ticket.get()]].answered = now;
    worker.running.clear();
    worker.done = never;
  }

  // Of those that came in these seconds: the 95th of a hundred answers, and the share that was refused.
  struct Seen {
    double p95 = 0, refused = 0;
  };
  Seen seen(double from, double until) const {
    std::vector<double> took;
    double refused = 0, all = 0;
    for (const Asked& one : asked) {
      if (one.came < from || one.came >= until) continue;
      ++all;
      if (!one.let_in)
        ++refused;
      else if (one.answered > 0)
        took.push_back(one.answered - one.came);
    }
    if (took.empty()) return {};
    const auto at = took.begin() + static_cast<ptrdiff_t>(took.size() * 95 / 100);
    std::nth_element(took.begin(), at, took.end());
    return {*at, refused / all};
  }
  size_t workers_at(double when) const {
    size_t count = 0;
    for (const auto& [time, ready] : at_once)
      if (time <= when) count = ready;
    return count;
  }

  SlotOptions options{};
  ManualClock clock{};
  ManualTicks ticks{};
  std::unique_ptr<Metrics> metrics = make_metrics();
  ServeProbe probe{*metrics, 4};
  SlotQueue queue{options, probe, clock, ticks};
  Scaler scaler{ScalingOptions{}};
  size_t wanted = 1;
  std::vector<std::unique_ptr<Worker>> workers{};
  std::vector<Asked> asked{};
  std::vector<std::shared_ptr<Ticket>> tickets{};
  std::map<const Ticket*, size_t> places{};
  std::vector<std::pair<double, size_t>> at_once{};
  double now = 0;
};

constexpr double begins = 10, ends = 70, over = 320;

TEST(StepLoadTest, TheTailIsBackUnderTheBoundInTheTimeThatIsStatedAndTheWorkersGoAgain) {
  for (const uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    StepLoad load{.seed = seed};
    const double calm = 0.1 * load.capacity(), high = 2.8 * load.capacity();
    load.run([&](double now) { return now < begins || now >= ends ? calm : high; }, over);
    ASSERT_EQ(load.workers_at(begins), 1U);
    // What is let in meets the bound (docs/serving.md: about twice limits.queue-delay) from the third second
    // on,
    for (double at = begins + 3; at < over - 1; ++at)
      EXPECT_LE(load.seen(at, at + 1).p95, 2 * 0.3) << "second " << at - begins;
    // and with workers that load in two seconds all are let in, and answered in less than the bound,
    // after 15.
    for (double at = begins + 15; at < over - 1; ++at) {
      EXPECT_LE(load.seen(at, at + 1).refused, 0.01) << "second " << at - begins;
      EXPECT_LE(load.seen(at, at + 1).p95, 0.3) << "second " << at - begins;
    }
    EXPECT_EQ(load.workers_at(ends), 4U);
    // A minute a worker, and what a look may be late.
    EXPECT_EQ(load.workers_at(ends + 3 * 60 + 5), 1U);
  }
}

}  // namespace
}  // namespace holdfast::serve
