#include "serve/models.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <thread>

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

// What the fake workers of a test share: knobs and counts.
struct Script {
  std::atomic<int> starts = 0, running = 0, most_inputs = 0, cancelled = 0;
  std::atomic<bool> crash = false, hang = false, refuse_load = false, dead = false;
};

// A worker within the process: a text's vector is its length; "bad" is refused.
class FakeWorker final : public Worker {
 public:
  explicit FakeWorker(Script& script) : script_(script) { ++script_.running; }
  ~FakeWorker() override { --script_.running; }
  const WorkerFacts& facts() const override { return facts_; }
  bool alive() override { return !script_.dead.exchange(false); }
  // Each word of a request is an event; "bad" fails, "crash" ends the worker, "long" never ends,
  // nor does "quiet", which says nothing either.
  Status generate(const GenerateAsk& ask, milliseconds) override {
    if (script_.crash.exchange(false)) crashed_ = true;
    requests_.push_back(ask);
    return Done{};
  }
  Status cancel(uint64_t id, milliseconds) override {
    ++script_.cancelled;
    std::erase_if(requests_, [&](const GenerateAsk& ask) { return ask.id == id; });
    return Done{};
  }
  Result<std::vector<GenerateEvent>> events(milliseconds, milliseconds) override {
    std::this_thread::sleep_for(milliseconds(1));
    if (crashed_) return fail(Reason::worker_failed, "gone");
    std::vector<GenerateEvent> out;
    for (const GenerateAsk& ask : requests_) {
      if (ask.request == "quiet") continue;
      out.push_back({.id = ask.id, .text = ask.request});
      if (ask.request == "bad")
        out.back().error = fail(Reason::bad_request, "bad");
      else if (ask.request != "long")
        out.back().end = GenerateEvent::End{.reason = "stop", .prompt_tokens = 1, .new_tokens = 1};
    }
    std::erase_if(requests_,
                  [](const GenerateAsk& ask) { return ask.request != "long" && ask.request != "quiet"; });
    return out;
  }

  Result<std::vector<Result<EmbedAnswer>>> ask(std::span<const EmbedItem> items, milliseconds) override {
    while (script_.hang) std::this_thread::sleep_for(milliseconds(1));
    if (script_.crash.exchange(false)) return fail(Reason::worker_failed, "gone");
    std::vector<Result<EmbedAnswer>> out;
    int inputs = 0;
    for (const EmbedItem& item : items) {
      EmbedAnswer answer;
      bool bad = false;
      for (const std::string& text : item.texts) {
        ++inputs;
        bad = bad || text == "bad";
        answer.tokens.push_back(1);
        answer.vectors.push_back({static_cast<float>(text.size())});
      }
      if (bad)
        out.emplace_back(fail(Reason::tokenization_failed, "bad"));
      else
        out.emplace_back(std::move(answer));
    }
    script_.most_inputs = std::max(script_.most_inputs.load(), inputs);
    return out;
  }

 private:
  Script& script_;
  WorkerFacts facts_{1, 8, true, false};
  std::vector<GenerateAsk> requests_;
  bool crashed_ = false;
};

class FakeStarter final : public WorkerStarter {
 public:
  explicit FakeStarter(Script& script) : script_(script) {}
  Result<std::unique_ptr<Worker>> start(const WorkerFolder&, milliseconds) override {
    ++script_.starts;
    if (script_.refuse_load) return fail(Reason::entry_not_found, "no weights");
    return std::unique_ptr<Worker>(std::make_unique<FakeWorker>(script_));
  }

 private:
  Script& script_;
};

class FakeFiles final : public FileSource {
 public:
  std::atomic<int> copies = 0;
  Result<std::vector<File>> list(const ServedModel&) override {
    return std::vector<File>{
        {"config.json", 2},       {"1_Pooling/config.json", 2},  {"README.md", 9},
        {"model.safetensors", 3}, {"onnx/model.safetensors", 3}, {"pytorch_model.bin", 3}};
  }
  Status copy(const ServedModel&, const std::string& path, io::WriteFile& into) override {
    ++copies;
    return into.append(as_bytes(path));
  }
};

class ModelsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Models> open(ModelsOptions options = {}) {
    return open_models(options, {files, starter, *disk, clock, ticks, random, log, *metrics}).value();
  }
  Result<EmbedAnswer> ask(Models& models, const ServedModel& wanted, EmbedItem item) {
    return models.embed(context, wanted, std::move(item), nullptr);
  }
  static ServedModel model(int64_t number) {
    return {number, "ada/m" + std::to_string(number), std::string(40, 'a')};
  }
  static EmbedItem texts(std::vector<std::string> all) {
    EmbedItem item;
    item.texts = std::move(all);
    return item;
  }

  Script script;
  FakeStarter starter{script};
  FakeFiles files;
  std::unique_ptr<io::Disk> disk = io::make_memory_disk();
  SystemClock clock;
  SystemTicks ticks;
  SeededRandom random{3};
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  Context context;
};

TEST_F(ModelsTest, TheFirstRequestMakesTheCopyAndStartsTheWorkerOnce) {
  const auto models = open();
  EXPECT_EQ(ask(*models, model(1), texts({"abc", "d"})).value().vectors,
            (std::vector<std::vector<float>>{{3}, {1}}));
  EXPECT_EQ(ask(*models, model(1), texts({"xx"})).value().vectors[0][0], 2);
  EXPECT_EQ(script.starts, 1);
  EXPECT_EQ(files.copies, 3) << "configuration and weights, and nothing else";
  const io::Path copy = io::Path("serving") / model(1).key();
  EXPECT_TRUE(disk->stat(copy / "1_Pooling/config.json").ok());
  EXPECT_FALSE(disk->stat(copy / "pytorch_model.bin").ok());
  EXPECT_EQ(models->loaded().size(), 1U);
  EXPECT_EQ(models->facts(context, model(1), nullptr).value().dimensions, 1U);
}

TEST_F(ModelsTest, LargeRequestsAreCutAndPutTogetherInOrder) {
  const auto models = open();
  std::vector<std::string> all;
  for (size_t i = 0; i < 500; ++i) all.emplace_back(i, 'x');
  const auto answer = ask(*models, model(1), texts(all)).value();
  for (size_t i = 0; i < 500; ++i) EXPECT_EQ(answer.vectors[i][0], static_cast<float>(i));
  EXPECT_LE(script.most_inputs, 64);
}

TEST_F(ModelsTest, OneBadInputFailsItsRequestAndNoOther) {
  const auto models = open();
  EXPECT_EQ(ask(*models, model(1), texts({"a", "bad"})).error().reason, Reason::tokenization_failed);
  EXPECT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  EXPECT_EQ(ask(*models, model(1), texts({})).error().reason, Reason::bad_request);
  EXPECT_EQ(ask(*models, model(1), texts(std::vector<std::string>(2049, "x"))).error().reason,
            Reason::bad_request);
  EXPECT_EQ(ask(*models, model(1), texts({std::string(9 << 20, 'x')})).error().reason,
            Reason::input_too_long);
}

TEST_F(ModelsTest, WhatACrashedWorkerHadIsAskedOfANewOne) {
  const auto models = open();
  ASSERT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  script.crash = true;
  EXPECT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  EXPECT_EQ(script.starts, 2);
  script.dead = true;  // Died while nobody asked.
  EXPECT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  EXPECT_EQ(script.starts, 3);
  EXPECT_EQ(script.running, 1);
}

TEST_F(ModelsTest, AModelThatCannotBeLoadedIsNotTriedAtOnceAgain) {
  const auto models = open();
  script.refuse_load = true;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(ask(*models, model(1), texts({"a"})).error().reason, Reason::model_unsupported);
  EXPECT_EQ(script.starts, 1);
}

TEST_F(ModelsTest, TheLeastRecentlyUsedIdleWorkerGivesWay) {
  ModelsOptions options;
  options.workers_max = 2;
  const auto models = open(options);
  for (int64_t number : {1, 2, 1, 3}) {
    ASSERT_TRUE(ask(*models, model(number), texts({"a"})).ok());
    // A worker is idle a moment after its answer came.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(script.running, 2);
  const auto loaded = models->loaded();
  ASSERT_EQ(loaded.size(), 2U);
  EXPECT_EQ(loaded[0].repository, 3);
  EXPECT_EQ(loaded[1].repository, 1);
  EXPECT_FALSE(disk->stat(io::Path("serving") / model(2).key()).ok()) << "its copy goes too";
}

// An answer that nobody waits for, for a test that does.
Result<EmbedAnswer> take(const std::shared_ptr<PendingAnswer>& pending) {
  std::promise<void> ready;
  pending->when_ready([&] { ready.set_value(); });
  const auto came = ready.get_future();
  while (came.wait_for(milliseconds(20)) != std::future_status::ready) pending->look();
  return pending->take();
}

TEST_F(ModelsTest, TooManyAtOnceAreRefusedAndLateOnesAreTold) {
  ModelsOptions options;
  options.waiting_max = 2;
  options.request_timeout = milliseconds(300);
  const auto models = open(options);
  ASSERT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  script.hang = true;
  {
    const auto first = models->begin(context, model(1), texts({"a"}), nullptr).value();
    const auto second = models->begin(context, model(1), texts({"a"}), nullptr).value();
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(ask(*models, model(1), texts({"a"})).error().reason, Reason::queue_full);
    EXPECT_EQ(take(first).error().reason, Reason::timed_out);
    EXPECT_EQ(take(second).error().reason, Reason::timed_out);
  }
  EXPECT_EQ(ask(*models, model(1), texts({"a"})).error().reason, Reason::timed_out);
  script.hang = false;
  EXPECT_TRUE(ask(*models, model(1), texts({"a"})).ok());
}

TEST_F(ModelsTest, WhoDoesNotWaitGetsWhatTheOthersGetAndIsCountedLikeThem) {
  ModelsOptions options;
  options.waiting_max = 1;
  const auto models = open(options);
  Work waited, pended;
  const auto alone = models->embed(context, model(1), texts({"abc", "d"}), Asker(&waited));
  {
    const auto pending = models->begin(context, model(1), texts({"abc", "d"}), Asker(&pended)).value();
    EXPECT_EQ(ask(*models, model(1), texts({"a"})).error().reason, Reason::queue_full) << "it has its place";
    EXPECT_EQ(take(pending).value().vectors, alone.value().vectors);
  }
  EXPECT_EQ(pended.inputs, waited.inputs);
  EXPECT_GT(pended.queue.count(), 0);
  EXPECT_EQ(take(models->begin(context, model(1), texts({"a", "bad"}), nullptr).value()).error().reason,
            Reason::tokenization_failed);
  EXPECT_EQ(models->begin(context, model(1), texts({}), nullptr).error().reason, Reason::bad_request);
  script.crash = true;
  EXPECT_TRUE(take(models->begin(context, model(1), texts({"a"}), nullptr).value()).ok());
  EXPECT_EQ(script.starts, 2);
}

TEST_F(ModelsTest, WhoDoesNotWaitIsToldOfItsDeadlineAndForgottenWhenItsClientLeaves) {
  const auto models = open();
  ASSERT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  script.hang = true;
  Context soon = context;
  soon.deadline = clock.now() + milliseconds(200);
  EXPECT_EQ(take(models->begin(soon, model(1), texts({"a"}), nullptr).value()).error().reason,
            Reason::timed_out);
  std::stop_source client;
  Context leaving = context;
  leaving.stop = client.get_token();
  const auto pending = models->begin(leaving, model(1), texts({"a"}), nullptr).value();
  bool ready = false;
  pending->when_ready([&] { ready = true; });
  EXPECT_FALSE(ready);
  client.request_stop();
  EXPECT_TRUE(ready) << "by who said that it left";
  EXPECT_EQ(pending->take().error().reason, Reason::client_gone);
  script.hang = false;
  EXPECT_TRUE(ask(*models, model(1), texts({"a"})).ok());
}

// What one answer's events came to, for a thread that waits.
struct Heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::string text;
  std::optional<GenerateEvent> last;
  size_t wanted = SIZE_MAX;  // Bytes.

  OnGenerate listener() {
    return [this](const GenerateEvent& event) {
      std::lock_guard lock(mutex);
      text += event.text;
      if (event.last()) last = event;
      changed.notify_all();
      return text.size() < wanted;
    };
  }
  bool wait(const std::function<bool()>& until) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20), until);
  }
};

TEST_F(ModelsTest, AnswersComeInEventsAndEndWithOneThatSaysSo) {
  const auto models = open();
  Heard good, bad, endless;
  endless.wanted = 40;
  ASSERT_TRUE(models->generate(context, model(1), {"long", endless.listener()}, nullptr).ok());
  ASSERT_TRUE(models->generate(context, model(1), {"hello", good.listener()}, nullptr).ok());
  ASSERT_TRUE(models->generate(context, model(1), {"bad", bad.listener()}, nullptr).ok());
  EXPECT_TRUE(good.wait([&] { return good.last.has_value(); }));
  EXPECT_EQ(good.text, "hello");
  EXPECT_EQ(good.last->end->reason, "stop");
  EXPECT_TRUE(bad.wait([&] { return bad.last.has_value(); }));
  EXPECT_EQ(bad.last->error->reason, Reason::bad_request);
  // Nobody wants more of the third: it is cancelled. Embeddings go on beside it.
  EXPECT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  EXPECT_TRUE(endless.wait([&] { return endless.text.size() >= 40; }));
  for (int i = 0; i < 2'000 && script.cancelled == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(script.cancelled, 1);
  EXPECT_EQ(endless.text.size(), 40U);
}

TEST_F(ModelsTest, WhoLeavesBeforeTheFirstWordIsForgottenToo) {
  const auto models = open();
  std::atomic<bool> gone = false;
  std::atomic<int> heard = 0;
  ASSERT_TRUE(models
                  ->generate(context, model(1),
                             {.request = "quiet",
                              .on_event =
                                  [&](const GenerateEvent&) {
                                    ++heard;
                                    return true;
                                  },
                              .gone = [&] { return gone.load(); }},
                             nullptr)
                  .ok());
  Heard other;
  ASSERT_TRUE(models->generate(context, model(1), {"hello", other.listener()}, nullptr).ok());
  EXPECT_TRUE(other.wait([&] { return other.last.has_value(); }));
  EXPECT_EQ(script.cancelled, 0);
  gone = true;
  for (int i = 0; i < 2'000 && script.cancelled == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(script.cancelled, 1);
  EXPECT_EQ(heard, 0);
}

TEST_F(ModelsTest, AnAnswerWhoseWorkerEndsIsWrittenByTheNext) {
  const auto models = open();
  Heard lost;
  ASSERT_TRUE(ask(*models, model(1), texts({"a"})).ok());
  script.crash = true;
  ASSERT_TRUE(models->generate(context, model(1), {"lost", lost.listener()}, nullptr).ok());
  EXPECT_TRUE(lost.wait([&] { return lost.last.has_value(); }));
  EXPECT_FALSE(lost.last->error.has_value());
  EXPECT_EQ(lost.text, "lost");
  EXPECT_EQ(script.starts, 2);
  Heard refused;
  script.refuse_load = true;
  ASSERT_TRUE(models->generate(context, model(2), {"x", refused.listener()}, nullptr).ok());
  EXPECT_TRUE(refused.wait([&] { return refused.last.has_value(); }));
  EXPECT_EQ(refused.last->error->reason, Reason::model_unsupported);
}

}  // namespace
}  // namespace holdfast::serve
