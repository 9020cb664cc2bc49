#include "serve/model_slot.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

// A worker that does nothing while it is held, and notes what it was asked in which order. Every ask takes a
// second of the ticks.
struct Script {
  std::mutex mutex;
  std::vector<std::string> asked, begun;
  std::atomic<bool> held = false;
  std::atomic<int> cancelled = 0;
  ManualTicks ticks;

  std::vector<std::string> order() {
    std::lock_guard lock(mutex);
    return asked;
  }
};

class NotingWorker final : public Worker {
 public:
  explicit NotingWorker(Script& script) : script_(script) {}
  const WorkerFacts& facts() const override { return facts_; }
  bool alive() override { return true; }
  Status generate(const GenerateAsk& ask, milliseconds) override {
    std::lock_guard lock(script_.mutex);
    script_.begun.push_back(ask.request);
    return Done{};
  }
  Status cancel(uint64_t, milliseconds) override {
    ++script_.cancelled;
    return Done{};
  }
  Result<std::vector<GenerateEvent>> events(milliseconds, milliseconds) override {
    std::this_thread::sleep_for(milliseconds(1));
    return std::vector<GenerateEvent>();
  }
  Result<std::vector<Result<EmbedAnswer>>> ask(std::span<const EmbedItem> items, milliseconds) override {
    while (script_.held) std::this_thread::sleep_for(milliseconds(1));
    script_.ticks.advance(std::chrono::seconds(1));
    std::vector<Result<EmbedAnswer>> out;
    std::lock_guard lock(script_.mutex);
    for (const EmbedItem& item : items) {
      script_.asked.push_back(item.texts[0]);
      out.emplace_back(EmbedAnswer{.tokens = {1}, .vectors = {{1}}, .json = {}, .work = {}});
    }
    return out;
  }

 private:
  Script& script_;
  WorkerFacts facts_{1, 8, true, false, {}};
};

class NotingStarter final : public WorkerStarter {
 public:
  explicit NotingStarter(Script& script) : script_(script) {}
  Result<std::unique_ptr<Worker>> start(const WorkerFolder&, milliseconds) override {
    return std::unique_ptr<Worker>(std::make_unique<NotingWorker>(script_));
  }

 private:
  Script& script_;
};

class ModelSlotTest : public ::testing::Test {
 protected:
  void open(SlotOptions options = {}) {
    options.batch_inputs_max = 1;  // So that the order is the queue's.
    slot = std::make_unique<ModelSlot>(
        ServedModel{1, "ada/m", std::string(40, 'a')}, options, 0,
        []() -> Result<io::Path> { return io::Path("m"); }, starter, probe, clock, script.ticks, log);
  }
  ~ModelSlotTest() override { script.held = false; }

  static Asker asker(const std::string& key, Work* work = nullptr) {
    Asker out(work);
    out.key = key;
    return out;
  }
  // Whether it was let in; its ticket is kept.
  Status push(const std::string& text, const Asker& who, milliseconds deadline = milliseconds::max()) {
    EmbedItem item;
    item.texts = {text};
    auto [ticket, slices] = cut_request(std::move(item));
    for (Slice& slice : slices) slice.deadline = deadline;
    TRY_DONE(slot->push(std::move(slices), who));
    tickets.push_back(std::move(ticket));
    return Done{};
  }
  Result<EmbedAnswer> wait(size_t which) { return tickets[which]->wait(context, clock, milliseconds::max()); }
  void until(const std::function<bool()>& reached) {
    for (int i = 0; i < 20'000 && !reached(); ++i) std::this_thread::sleep_for(milliseconds(1));
    ASSERT_TRUE(reached());
  }
  // One request is at the worker, which holds it.
  void occupy() {
    script.held = true;
    ASSERT_TRUE(push("first", asker("somebody")).ok());
    until([&] { return !slot->idle() && slot->waiting() == 0; });
  }

  Script script;
  NotingStarter starter{script};
  ManualClock clock;
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  ServeProbe probe{*metrics, 1};
  Context context;
  std::vector<std::shared_ptr<Ticket>> tickets;
  std::atomic<bool> first_gone = false, second_gone = false;
  std::atomic<int> errors = 0;
  std::unique_ptr<ModelSlot> slot;
};

TEST_F(ModelSlotTest, KeysTakeTurnsHoweverMuchOneHasWaiting) {
  open();
  occupy();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(push("greedy", asker("greedy")).ok());
  ASSERT_TRUE(push("modest", asker("modest")).ok());
  ASSERT_TRUE(push("modest", asker("modest")).ok());
  script.held = false;
  for (size_t i = 0; i < tickets.size(); ++i) ASSERT_TRUE(wait(i).ok());
  const auto order = script.order();
  EXPECT_EQ((std::vector(order.begin(), order.begin() + 5)),
            (std::vector<std::string>{"first", "greedy", "modest", "greedy", "modest"}));
}

TEST_F(ModelSlotTest, WhatWaitedPastItsDeadlineIsNeverRun) {
  open();
  occupy();
  ASSERT_TRUE(push("late", asker("a"), clock.now() + milliseconds(100)).ok());
  ASSERT_TRUE(push("patient", asker("a"), clock.now() + milliseconds(10'000)).ok());
  clock.advance(milliseconds(200));
  script.held = false;
  EXPECT_TRUE(wait(2).ok());
  EXPECT_EQ(wait(1).error().reason, Reason::timed_out);
  EXPECT_EQ(script.order(), (std::vector<std::string>{"first", "patient"}));
  EXPECT_EQ(push("past", asker("a"), clock.now()).error().reason, Reason::timed_out);
}

TEST_F(ModelSlotTest, WhoseCallerLeftIsNeverRun) {
  open();
  occupy();
  ASSERT_TRUE(push("left", asker("a")).ok());
  ASSERT_TRUE(push("stays", asker("a")).ok());
  std::stop_source client;
  client.request_stop();
  Context gone;
  gone.stop = client.get_token();
  EXPECT_EQ(tickets[1]->wait(gone, clock, milliseconds::max()).error().reason, Reason::client_gone);
  script.held = false;
  EXPECT_TRUE(wait(2).ok());
  EXPECT_EQ(script.order(), (std::vector<std::string>{"first", "stays"}));
}

TEST_F(ModelSlotTest, ADeadlineThatTheQueueCannotKeepIsRefusedAtOnce) {
  open();
  for (size_t i = 0; i < 3; ++i) {  // A second each: the speed is known.
    ASSERT_TRUE(push(std::string(400, 'x'), asker("a")).ok());
    ASSERT_TRUE(wait(i).ok());
  }
  occupy();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(push(std::string(400, 'x'), asker("a")).ok());
  Work work;
  const auto refused = push("soon", asker("a", &work), clock.now() + milliseconds(4'000));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::queue_full);
  EXPECT_NE(refused.error().message.find("deadline"), std::string::npos) << refused.error().message;
  EXPECT_NEAR(static_cast<double>(work.retry_after.count()), 10'000, 100) << "ten wait, and a small one runs";
  EXPECT_TRUE(push("soon", asker("b"), clock.now() + milliseconds(4'000)).ok())
      << "another key waits for its share only";
  EXPECT_TRUE(push("any time", asker("a"), clock.now() + milliseconds(60'000)).ok());
}

TEST_F(ModelSlotTest, ASpeedOfLateRefusesNobodyWhereNothingElseIsDone) {
  open();
  for (size_t i = 0; i < 3; ++i) {  // A second each: the speed is known.
    ASSERT_TRUE(push(std::string(400, 'x'), asker("a")).ok());
    ASSERT_TRUE(wait(i).ok());
  }
  until([&] { return slot->idle(); });
  EXPECT_TRUE(push("four", asker("a"), clock.now() + milliseconds(500)).ok());
}

TEST_F(ModelSlotTest, WhoWouldWaitForLongerThanIsWantedIsRefusedWhereThatLasts) {
  open();
  for (size_t i = 0; i < 3; ++i) {  // A second each: the speed is known.
    ASSERT_TRUE(push(std::string(400, 'x'), asker("a")).ok());
    ASSERT_TRUE(wait(i).ok());
  }
  occupy();
  Work work;
  Asker hurried = asker("a", &work);
  hurried.queue_delay_max = milliseconds(2'500);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(push(std::string(400, 'x'), hurried).ok()) << "a crowd may pass";
  clock.advance(milliseconds(1'000));
  const auto refused = push(std::string(400, 'x'), hurried);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::queue_full);
  EXPECT_NEAR(static_cast<double>(work.retry_after.count()), 6'000, 100);
  EXPECT_TRUE(push(std::string(400, 'x'), asker("a")).ok()) << "who has time may wait";
}

TEST_F(ModelSlotTest, WhatTakesLongItselfMayWaitForAFewNeighbours) {
  open();
  for (size_t i = 0; i < 3; ++i) {  // A second each: the speed is known.
    ASSERT_TRUE(push(std::string(400, 'x'), asker("a")).ok());
    ASSERT_TRUE(wait(i).ok());
  }
  occupy();
  Asker hurried = asker("a");
  hurried.queue_delay_max = milliseconds(300);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(push(std::string(400, 'x'), hurried).ok()) << i;
    clock.advance(milliseconds(1'000));
  }
}

TEST_F(ModelSlotTest, AFewTokensSayNothingOfALargeRequest) {
  open();
  ASSERT_TRUE(push("four", asker("a")).ok());  // A second, most of which any request takes.
  ASSERT_TRUE(wait(0).ok());
  occupy();
  EXPECT_TRUE(push(std::string(4000, 'x'), asker("a"), clock.now() + milliseconds(60'000)).ok());
}

TEST_F(ModelSlotTest, AFullQueueSaysWhenToComeAgain) {
  open({.slices_max = 3});
  occupy();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(push("x", asker("a")).ok());
  Work work;
  EXPECT_EQ(push("x", asker("b", &work)).error().reason, Reason::queue_full);
  EXPECT_GT(work.retry_after.count(), 0);
}

TEST_F(ModelSlotTest, AnswersToBeWrittenWaitForTheirTurnAndLeaveWithTheirCallers) {
  open({.writing_max = 1});
  const auto generation = [&](const char* name, std::atomic<bool>* gone, milliseconds deadline) {
    return Generation{.request = name,
                      .on_event =
                          [this](const GenerateEvent& event) {
                            errors += event.error.has_value() ? 1 : 0;
                            return true;
                          },
                      .gone = [gone] { return gone != nullptr && gone->load(); },
                      .deadline = deadline};
  };
  const auto begun = [&] {
    std::lock_guard lock(script.mutex);
    return script.begun;
  };
  const milliseconds never = milliseconds::max();
  ASSERT_TRUE(slot->push(generation("one", &first_gone, never), asker("a")).ok());
  until([&] { return begun().size() == 1; });
  ASSERT_TRUE(slot->push(generation("two", &second_gone, never), asker("a")).ok());
  ASSERT_TRUE(slot->push(generation("three", nullptr, clock.now() + milliseconds(50)), asker("a")).ok());
  ASSERT_TRUE(slot->push(generation("four", nullptr, clock.now() + milliseconds(500)), asker("b")).ok());
  second_gone = true;
  clock.advance(milliseconds(100));
  until([&] { return errors == 1; });
  EXPECT_EQ(script.cancelled, 0) << "the one being written is left alone";
  first_gone = true;
  until([&] { return begun().size() == 2; });
  EXPECT_EQ(begun(), (std::vector<std::string>{"one", "four"}));
  EXPECT_EQ(script.cancelled, 1);
  clock.advance(milliseconds(1'000));  // Past the deadline of what is being written.
  until([&] { return errors == 2; });
  EXPECT_EQ(script.cancelled, 2);
}

}  // namespace
}  // namespace holdfast::serve
