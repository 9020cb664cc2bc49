// Several workers of one model: shared work, deaths, scaling. Workers are fakes within the process; the
// clock is the test's own.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <set>
#include <thread>

#include "serve/models.h"

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

// What all workers of a test share. An answer that is written is its request, a letter a step; "poison" in a
// text or a request ends the worker that has it.
struct Stage {
  std::mutex mutex;
  std::vector<std::string> log;  // "worker:text", as it was asked.
  std::atomic<int> starts = 0, running = 0, die_at_step = -1, held = 0;
  std::atomic<int> steps = 0, steps_after_gone = 0, asks = 0, cancelled = 0, failing_starts = 0;
  std::atomic<bool> hold = false, gone = false;

  void note(int worker, const std::string& text) {
    std::lock_guard lock(mutex);
    log.push_back(std::to_string(worker) + ":" + text);
  }
  std::set<char> workers_of(const std::string& text) {
    std::lock_guard lock(mutex);
    std::set<char> out;
    for (const std::string& line : log)
      if (line.substr(2) == text) out.insert(line[0]);
    return out;
  }
};

class LetterWorker final : public Worker {
 public:
  LetterWorker(Stage& stage, int number) : stage_(stage), number_(number) { ++stage_.running; }
  ~LetterWorker() override { --stage_.running; }
  const WorkerFacts& facts() const override { return facts_; }
  bool alive() override { return !dead_; }
  Status generate(const GenerateAsk& ask, milliseconds) override {
    stage_.note(number_, ask.request.substr(0, ask.request.find(',')));
    writing_.push_back({ask.id, ask.request, 0});
    return Done{};
  }
  Status cancel(uint64_t id, milliseconds) override {
    ++stage_.cancelled;
    std::erase_if(writing_, [&](const Writing& one) { return one.id == id; });
    return Done{};
  }
  Result<std::vector<GenerateEvent>> events(milliseconds, milliseconds) override {
    std::this_thread::sleep_for(milliseconds(1));
    if (stage_.hold) return std::vector<GenerateEvent>();
    const int step = ++stage_.steps;
    if (stage_.gone) ++stage_.steps_after_gone;
    std::vector<GenerateEvent> out;
    for (Writing& one : writing_) {
      if (one.request.find("poison") != std::string::npos) return die();
      const bool ends = one.at + 1 >= one.request.size();
      out.push_back({.id = one.id, .text = one.request.substr(one.at++, 1)});
      if (ends) out.back().end = GenerateEvent::End{.reason = "stop", .prompt_tokens = 1, .new_tokens = 1};
    }
    std::erase_if(writing_, [](const Writing& one) { return one.at >= one.request.size(); });
    if (step == stage_.die_at_step) return die();
    return out;
  }
  Result<std::vector<Result<EmbedAnswer>>> ask(std::span<const EmbedItem> items, milliseconds) override {
    ++stage_.asks;
    ++stage_.held;
    while (stage_.hold) std::this_thread::sleep_for(milliseconds(1));
    --stage_.held;
    std::vector<Result<EmbedAnswer>> out;
    for (const EmbedItem& item : items) {
      EmbedAnswer answer;
      for (const std::string& text : item.texts) {
        stage_.note(number_, text);
        if (text == "poison") return die();
        answer.tokens.push_back(1);
        answer.vectors.push_back({static_cast<float>(text.size())});
      }
      out.emplace_back(std::move(answer));
    }
    return out;
  }

 private:
  struct Writing {
    uint64_t id = 0;
    std::string request;
    size_t at = 0;
  };
  Error die() {
    dead_ = true;
    return fail(Reason::worker_failed, "gone");
  }

  Stage& stage_;
  const int number_;
  WorkerFacts facts_{1, 8, true, false, {}};
  std::vector<Writing> writing_;
  bool dead_ = false;
};

class LetterStarter final : public WorkerStarter {
 public:
  explicit LetterStarter(Stage& stage) : stage_(stage) {}
  Result<std::unique_ptr<Worker>> start(const WorkerFolder&, milliseconds) override {
    const int number = ++stage_.starts;
    if (stage_.failing_starts > 0) {
      --stage_.failing_starts;
      return fail(Reason::worker_failed, "killed while it loaded");
    }
    return std::unique_ptr<Worker>(std::make_unique<LetterWorker>(stage_, number));
  }

 private:
  Stage& stage_;
};

class OneFile final : public FileSource {
 public:
  Result<std::vector<File>> list(const ServedModel&) override {
    return std::vector<File>{{"config.json", 2}};
  }
  Status copy(const ServedModel&, const std::string& path, io::WriteFile& into) override {
    return into.append(as_bytes(path));
  }
};

struct Listener {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  std::optional<GenerateEvent> last;

  OnGenerate take() {
    return [this](const GenerateEvent& event) {
      std::lock_guard lock(mutex);
      text += event.text;
      if (event.last()) last = event;
      changed.notify_all();
      return true;
    };
  }
  bool wait_end() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(60), [&] { return last.has_value(); });
  }
};

class ReplicasTest : public ::testing::Test {
 protected:
  void open(Replicas kept, ModelsOptions options = {}) {
    models = open_models(options, {files, starter, *disk, clock, ticks, random, log, *metrics}).value();
    ASSERT_TRUE(models->keep(model, kept).ok());
  }
  ~ReplicasTest() override {
    stage.hold = false;
    for (std::thread& caller : callers) caller.join();
  }
  Result<EmbedAnswer> embed(const std::string& text) {
    EmbedItem item;
    item.texts = {text};
    return models->embed(context, model, std::move(item), nullptr);
  }
  void embed_aside(const std::string& text) {
    callers.emplace_back([this, text] {
      good += embed(text).ok() ? 1 : 0;
      ++done;
    });
  }
  // Waits for a state, tending as the program does; the clock stands still.
  void until(const std::function<bool()>& reached) {
    for (int i = 0; i < 60'000 && !reached(); ++i) {
      models->tend();
      std::this_thread::sleep_for(milliseconds(1));
    }
    ASSERT_TRUE(reached());
  }
  void pass(milliseconds time) {
    clock.advance(time);
    models->tend();
  }

  Stage stage;
  LetterStarter starter{stage};
  OneFile files;
  std::unique_ptr<io::Disk> disk = io::make_memory_disk();
  ManualClock clock;
  SystemTicks ticks;
  SeededRandom random{3};
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  Context context;
  const ServedModel model{1, "ada/m", std::string(40, 'a')};
  std::atomic<int> good = 0, done = 0;
  std::unique_ptr<Models> models;
  std::vector<std::thread> callers;
};

TEST_F(ReplicasTest, ThoseThatAreKeptStartBeforeAnybodyAsksAndNoFirstRequestIsCold) {
  open({.least = 2, .most = 3});
  until([&] { return stage.running == 2 && models->replicas(model).ready == 2; });
  Work work;
  EmbedItem item;
  item.texts = {"a"};
  EXPECT_TRUE(models->embed(context, model, std::move(item), &work).ok());
  EXPECT_FALSE(work.cold());
  EXPECT_EQ(stage.starts, 2);
  EXPECT_EQ(models->replicas(model).wanted, 2U);
}

TEST_F(ReplicasTest, AModelOnDemandStartsWithItsFirstRequestWhichIsCold) {
  open({.least = 0, .most = 3});
  pass(milliseconds(60'000));
  EXPECT_EQ(stage.starts, 0);
  Work work;
  EmbedItem item;
  item.texts = {"a"};
  EXPECT_TRUE(models->embed(context, model, std::move(item), &work).ok());
  EXPECT_TRUE(work.cold());
  EXPECT_NE(metrics->text().find("holdfast_serve_cold_starts_total 1"), std::string::npos);
}

TEST_F(ReplicasTest, TheyFollowTheLoadUpAndDown) {
  open({.least = 1, .most = 3});
  until([&] { return stage.running == 1; });
  stage.hold = true;
  embed_aside("x");
  until([&] { return stage.held == 1; });
  for (int i = 1; i < 12; ++i) embed_aside("x");
  until([&] { return metrics->text().find("holdfast_serve_waiting 11") != std::string::npos; });
  const auto grows_to = [&](size_t number) {
    until([&] {
      pass(milliseconds(100));
      return models->replicas(model).ready == number;
    });
  };
  grows_to(2);
  until([&] { return stage.held == 2; });  // It has all that waited, so both are busy.
  grows_to(3);
  pass(milliseconds(10'000));
  pass(milliseconds(10'000));
  EXPECT_EQ(models->replicas(model).wanted, 3U);
  stage.hold = false;
  until([&] { return good == 12; });
  until([&] {
    pass(milliseconds(10'000));
    return stage.running == 1;
  });
  EXPECT_EQ(models->replicas(model).wanted, 1U);
  EXPECT_TRUE(embed("x").ok());
}

TEST_F(ReplicasTest, OneThatLeavesWritesItsAnswersToTheEnd) {
  open({.least = 2, .most = 2});
  until([&] { return models->replicas(model).ready == 2; });
  stage.hold = true;
  Listener first, second;
  ASSERT_TRUE(models->generate(context, model, {"one", first.take()}, nullptr).ok());
  ASSERT_TRUE(models->generate(context, model, {"two", second.take()}, nullptr).ok());
  until([&] { return stage.workers_of("one").size() + stage.workers_of("two").size() == 2; });
  EXPECT_NE(stage.workers_of("one"), stage.workers_of("two")) << "each goes to the one that writes fewer";
  ASSERT_TRUE(models->keep(model, {.least = 1, .most = 1}).ok());
  pass(milliseconds(1'000));
  EXPECT_EQ(stage.running, 2);
  stage.hold = false;
  EXPECT_TRUE(first.wait_end());
  EXPECT_TRUE(second.wait_end());
  EXPECT_EQ(first.text + second.text, "onetwo");
  until([&] { return stage.running == 1; });
}

TEST_F(ReplicasTest, WhatKillsWorkersFailsAloneAndNobodyElseDoes) {
  open({.least = 2, .most = 2});
  until([&] { return models->replicas(model).ready == 2; });
  stage.hold = true;
  for (int busy = 1; busy <= 2; ++busy) {  // One after the other: both together one worker may take.
    embed_aside("good");
    until([&] { return stage.held == busy; });
  }
  for (int i = 2; i < 8; ++i) embed_aside(i == 3 ? "poison" : "good");
  stage.hold = false;
  until([&] {
    clock.advance(milliseconds(10));  // Pauses before a start.
    return done == 8;
  });
  EXPECT_EQ(good, 7);
  EXPECT_NE(metrics->text().find("holdfast_serve_worker_crashes_total 3"), std::string::npos);
}

TEST_F(ReplicasTest, AnAnswerGoesOnElsewhereWithoutAGapOrAWordTwice) {
  open({.least = 2, .most = 2});
  until([&] { return models->replicas(model).ready == 2; });
  stage.die_at_step = 7;
  Listener heard;
  ASSERT_TRUE(models->generate(context, model, {"abcdefghijklmnop", heard.take()}, nullptr).ok());
  EXPECT_TRUE(heard.wait_end());
  EXPECT_EQ(heard.text, "abcdefghijklmnop");
  EXPECT_FALSE(heard.last->error.has_value());
  EXPECT_EQ(stage.workers_of("abcdefghijklmnop").size(), 2U);
}

TEST_F(ReplicasTest, AWorkerThatDiesWhileItLoadsIsStartedAgain) {
  open({.least = 0, .most = 1});
  stage.failing_starts = 2;
  embed_aside("x");
  until([&] {
    clock.advance(milliseconds(5));
    return good == 1;
  });
  EXPECT_EQ(stage.starts, 3);
}

TEST_F(ReplicasTest, PromptsThatBeginAlikeGoWhereTheBeginningIsKnown) {
  open({.least = 3, .most = 3});
  until([&] { return models->replicas(model).ready == 3; });
  const std::string beginning(300, 'b');
  for (int i = 0; i < 6; ++i) {
    Listener heard;
    ASSERT_TRUE(models->generate(context, model, {beginning, heard.take()}, nullptr).ok());
    ASSERT_TRUE(heard.wait_end());
    ASSERT_TRUE(models->generate(context, model, {"x", [](const auto&) { return true; }}, nullptr).ok());
  }
  EXPECT_EQ(stage.workers_of(beginning).size(), 1U);
}

TEST_F(ReplicasTest, AReaderWhoLeavesCostsOneStepAtMostAndTheOthersNothing) {
  open({.least = 1, .most = 1});
  until([&] { return models->replicas(model).ready == 1; });
  Listener stays;
  std::atomic<int> heard = 0, heard_after = 0;
  ASSERT_TRUE(models
                  ->generate(context, model,
                             {.request = std::string(100'000, 'x'),
                              .on_event =
                                  [&](const GenerateEvent&) {
                                    ++heard;
                                    heard_after += stage.gone ? 1 : 0;
                                    return true;
                                  },
                              .gone = [&] { return stage.gone.load(); }},
                             nullptr)
                  .ok());
  const std::string text(400, 'y');
  ASSERT_TRUE(models->generate(context, model, {text, stays.take()}, nullptr).ok());
  until([&] { return heard > 3; });
  stage.gone = true;
  const int before = stage.steps;
  EXPECT_TRUE(stays.wait_end());
  EXPECT_EQ(stays.text, text);
  EXPECT_EQ(stage.cancelled, 1);
  EXPECT_LE(heard_after, 1) << "of the steps since " << before;
}

TEST_F(ReplicasTest, ALargeRequestWhoseCallerLeavesCostsTheBatchThatRuns) {
  open({.least = 1, .most = 1});
  until([&] { return models->replicas(model).ready == 1; });
  stage.hold = true;
  std::stop_source client;
  std::atomic<bool> told = false;
  callers.emplace_back([&] {
    EmbedItem item;
    item.texts = std::vector<std::string>(640, "x");
    Context gone;
    gone.stop = client.get_token();
    told = models->embed(gone, model, std::move(item), nullptr).error().reason == Reason::client_gone;
  });
  until([&] { return stage.held == 1; });
  client.request_stop();
  until([&] { return told.load(); });
  stage.hold = false;
  EXPECT_TRUE(embed("other").ok());
  EXPECT_EQ(stage.asks, 2);
}

TEST_F(ReplicasTest, ThereAreNeverMoreWorkersThanMayBeAndKeptOnesDoNotGiveWay) {
  open({.least = 2, .most = 4}, {.workers_max = 2});
  until([&] { return models->replicas(model).ready == 2; });
  EmbedItem item;
  item.texts = {"a"};
  const ServedModel other{2, "ada/other", std::string(40, 'b')};
  EXPECT_EQ(models->embed(context, other, std::move(item), nullptr).error().reason, Reason::queue_full);
  ASSERT_TRUE(models->keep(model, {}).ok());
  until([&] { return stage.running == 1; });
  item.texts = {"a"};
  EXPECT_TRUE(models->embed(context, other, std::move(item), nullptr).ok());
}

}  // namespace
}  // namespace holdfast::serve
