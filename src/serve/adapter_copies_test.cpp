// Adapters are served by the worker of their base, each request with its own.
#include "serve/adapter_copies.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "base/metrics.h"
#include "serve/models.h"

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

constexpr int64_t base_number = 1, lone_number = 2, first_adapter = 10;

// Models 10 and above are adapters of model 1.
class AdapterFiles final : public FileSource {
 public:
  std::atomic<int> lists = 0, asked = 0;
  Result<std::vector<File>> list(const ServedModel& model) override {
    ++lists;
    if (model.repository >= first_adapter)
      return std::vector<File>{{"adapter_config.json", 2}, {"adapter_model.safetensors", 2}};
    return std::vector<File>{{"config.json", 2}, {"model.safetensors", 2}};
  }
  std::atomic<bool> torn = false;
  Status copy(const ServedModel&, const std::string& path, io::WriteFile& into) override {
    if (torn) return fail(Reason::data_corrupt, "the file ends early");
    return into.append(as_bytes(path));
  }
  Result<std::optional<ServedModel>> base_of(const ServedModel& model) override {
    ++asked;
    if (model.repository < first_adapter) return std::optional<ServedModel>();
    return std::optional(ServedModel{base_number, "ada/base", std::string(40, 'b')});
  }
};

// Writes the adapter that it was asked for.
struct Seen {
  std::mutex mutex;
  std::vector<WorkerFolder> started;
  std::multiset<std::string> adapters;
};

class AdapterWorker final : public Worker {
 public:
  explicit AdapterWorker(Seen& seen) : seen_(seen) {}
  const WorkerFacts& facts() const override { return facts_; }
  bool alive() override { return true; }
  Result<std::vector<Result<EmbedAnswer>>> ask(std::span<const EmbedItem> items, milliseconds) override {
    std::vector<Result<EmbedAnswer>> out;
    for (const EmbedItem& item : items) {
      note(item.adapter);
      EmbedAnswer answer;
      answer.tokens.assign(item.size(), 1);
      answer.vectors.assign(item.size(), {1.0F});
      answer.json = item.adapter;
      out.emplace_back(std::move(answer));
    }
    return out;
  }
  Status generate(const GenerateAsk& ask, milliseconds) override {
    note(ask.adapter);
    asks_.push_back(ask);
    return Done{};
  }
  Status cancel(uint64_t, milliseconds) override { return Done{}; }
  Result<std::vector<GenerateEvent>> events(milliseconds, milliseconds) override {
    std::vector<GenerateEvent> out;
    for (const GenerateAsk& ask : std::exchange(asks_, {})) {
      out.push_back({.id = ask.id, .text = ask.adapter});
      out.back().end = GenerateEvent::End{.reason = "stop", .prompt_tokens = 1, .new_tokens = 1};
    }
    if (out.empty()) std::this_thread::sleep_for(milliseconds(1));
    return out;
  }

 private:
  void note(const std::string& adapter) {
    std::lock_guard lock(seen_.mutex);
    seen_.adapters.insert(adapter);
  }

  Seen& seen_;
  WorkerFacts facts_{1, 8, true, false, "text-generation"};
  std::vector<GenerateAsk> asks_;
};

class AdapterStarter final : public WorkerStarter {
 public:
  explicit AdapterStarter(Seen& seen) : seen_(seen) {}
  Result<std::unique_ptr<Worker>> start(const WorkerFolder& folder, milliseconds) override {
    std::lock_guard lock(seen_.mutex);
    seen_.started.push_back(folder);
    return std::unique_ptr<Worker>(std::make_unique<AdapterWorker>(seen_));
  }
  Status may_use(const io::Path&) override {
    return refuses ? Status(fail(Reason::model_unsupported, "not what its lock pins")) : Status(Done{});
  }
  std::atomic<bool> refuses = false;

 private:
  Seen& seen_;
};

class AdapterCopiesTest : public ::testing::Test {
 protected:
  static ServedModel model(int64_t number) {
    return {number, "ada/m" + std::to_string(number), std::string(40, number == base_number ? 'b' : 'a')};
  }
  std::unique_ptr<Models> open() {
    return open_models({}, {files, starter, *disk, clock, ticks, random, log, *metrics}).value();
  }
  // The adapter's folder that the answer was written with.
  std::string write(Models& models, int64_t number) {
    std::atomic<bool> done = false;
    std::string text;
    const Status asked = models.generate(context, model(number),
                                         {.request = "{\"prompt\":\"a\"}",
                                          .on_event =
                                              [&](const GenerateEvent& event) {
                                                text += event.text;
                                                done = event.last();
                                                return true;
                                              }},
                                         nullptr);
    EXPECT_TRUE(asked.ok()) << asked.error().message;
    while (asked.ok() && !done) std::this_thread::sleep_for(milliseconds(1));
    return text;
  }
  size_t folders() const {
    size_t out = 0;
    const auto entries = disk->list("serving").value();
    for (const io::Entry& entry : entries) out += entry.name.starts_with("adapter-") ? 1 : 0;
    return out;
  }

  Seen seen;
  AdapterStarter starter{seen};
  AdapterFiles files;
  std::unique_ptr<io::Disk> disk = io::make_memory_disk();
  SystemClock clock;
  SystemTicks ticks;
  SeededRandom random{3};
  MemoryLogSink sink;
  Log log{sink, clock};
  std::unique_ptr<Metrics> metrics = make_metrics();
  Context context;
};

TEST_F(AdapterCopiesTest, AdaptersOfOneBaseShareItsWorkerAndEachRequestHasItsOwn) {
  const auto models = open();
  const std::string one = write(*models, 10), other = write(*models, 11);
  EXPECT_FALSE(one.empty());
  EXPECT_NE(one, other);
  EXPECT_EQ(write(*models, 10), one) << "it is copied once";
  ASSERT_EQ(seen.started.size(), 1U);
  EXPECT_TRUE(seen.started[0].takes_adapters);
  EXPECT_TRUE(disk->stat(io::Path(one).lexically_relative(disk->absolute("")) / "adapter_config.json").ok())
      << one;
  // The base by itself has a worker of its own, which needs no room for them.
  EXPECT_EQ(write(*models, base_number), "");
  ASSERT_EQ(seen.started.size(), 2U);
  EXPECT_FALSE(seen.started[1].takes_adapters);
}

TEST_F(AdapterCopiesTest, ATaskOfAnAdapterIsAskedWithIt) {
  const auto models = open();
  EmbedItem task;
  task.wanted = Wanted::task;
  task.texts = {"{}"};
  const auto answer = models->embed(context, model(10), task, nullptr);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer.value().json, write(*models, 10));
}

TEST_F(AdapterCopiesTest, WhatIsLoadedNamesAdaptersAndTheirBaseOnce) {
  const auto models = open();
  write(*models, 10);
  write(*models, 11);
  write(*models, base_number);
  std::multiset<int64_t> loaded;
  for (const ServedModel& one : models->loaded()) {
    loaded.insert(one.repository);
    EXPECT_FALSE(one.takes_adapters);
  }
  EXPECT_EQ(loaded, (std::multiset<int64_t>{base_number, 10, 11}));
  EXPECT_EQ(models->replicas(model(10)).ready, 1U);
}

TEST_F(AdapterCopiesTest, TheBaseGoesWithItsLastAdapter) {
  const auto models = open();
  write(*models, 10);
  write(*models, 11);
  EXPECT_EQ(folders(), 2U);
  EXPECT_TRUE(models->unload(model(10)));
  EXPECT_EQ(folders(), 1U);
  EXPECT_EQ(models->replicas(model(11)).ready, 1U);
  // Idle a moment after its answer came.
  for (int i = 0; i < 500 && !models->unload(model(11)); ++i) std::this_thread::sleep_for(milliseconds(2));
  EXPECT_EQ(models->replicas(model(11)).ready, 0U);
  EXPECT_EQ(folders(), 0U);
  EXPECT_FALSE(write(*models, 11).empty()) << "and comes back";
}

TEST_F(AdapterCopiesTest, OneThatIsNotWhatItsLockPinsIsRefusedAndLeavesNothing) {
  const auto models = open();
  starter.refuses = true;
  const Status asked = models->generate(
      context, model(10), {.request = "{}", .on_event = [](const GenerateEvent&) { return true; }}, nullptr);
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().reason, Reason::model_unsupported);
  EXPECT_EQ(folders(), 0U);
  starter.refuses = false;
  files.torn = true;
  AdapterCopies copies(*disk, "serving", files, starter, random);
  EXPECT_EQ(copies.get(model(10)).error().reason, Reason::data_corrupt);
  EXPECT_EQ(folders(), 0U);
  files.torn = false;
  EXPECT_FALSE(write(*models, 10).empty()) << "and is looked at again";
}

TEST_F(AdapterCopiesTest, CopiesAreBoundedAndWhoHoldsOneKeepsIt) {
  AdapterCopies copies(*disk, "serving", files, starter, random);
  const auto held = copies.get(model(first_adapter)).value();
  for (int64_t i = 1; i <= static_cast<int64_t>(AdapterCopies::copies_max); ++i)
    ASSERT_NE(copies.get(model(first_adapter + i)).value(), nullptr);
  EXPECT_EQ(folders(), AdapterCopies::copies_max + 1);
  EXPECT_NE(copies.get(model(first_adapter)).value(), held) << "made again";
  EXPECT_EQ(copies.get(model(lone_number)).value(), nullptr);
  const int asked = files.asked;
  EXPECT_TRUE(copies.host_of(model(lone_number)).value().same_as(model(lone_number)));
  EXPECT_EQ(files.asked, asked) << "what a commit is never changes";
}

}  // namespace
}  // namespace holdfast::serve
