#include "process/supervise.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <mutex>
#include <thread>

namespace holdfast::process {
namespace {

using namespace std::chrono_literals;

class Script final : public Supervised {
 public:
  explicit Script(std::string script) : script_(std::move(script)) {}
  Result<SpawnOptions> prepare() override {
    return SpawnOptions{.program = "/bin/sh", .arguments = {"-c", script_}};
  }
  void started(Child&) override {}
  void ended(const Exit& exit) override {
    std::lock_guard lock(mutex_);
    exits_.push_back(exit);
  }
  std::vector<Exit> exits() {
    std::lock_guard lock(mutex_);
    return exits_;
  }

 private:
  std::string script_;
  std::mutex mutex_;  // Guards exits_.
  std::vector<Exit> exits_;
};

bool soon(const std::function<bool()>& condition) {
  for (int i = 0; i < 500; ++i, std::this_thread::sleep_for(10ms))
    if (condition()) return true;
  return false;
}

struct World {
  SystemClock clock;
  MemoryLogSink sink;
  Log log{sink, clock};
};

TEST(Backoff, DoublesToItsMostAndStartsOverAfterAStableRun) {
  Backoff backoff({.first = 100ms, .most = 500ms, .stable_after = 10s});
  EXPECT_EQ(backoff.after(0ms), 100ms);
  EXPECT_EQ(backoff.after(1s), 200ms);
  EXPECT_EQ(backoff.after(1s), 400ms);
  EXPECT_EQ(backoff.after(1s), 500ms);
  EXPECT_EQ(backoff.after(1s), 500ms);
  EXPECT_EQ(backoff.after(10s), 100ms);
}

TEST(Supervisor, StartsAgainWhatEnds) {
  World world;
  Script script("exit 4");
  const auto supervisor =
      supervise({.name = "script", .backoff = {.first = 1ms, .most = 5ms}}, script, world.clock, world.log);
  EXPECT_TRUE(soon([&] { return supervisor->starts() >= 3; }));
  supervisor->stop();
  EXPECT_EQ(supervisor->state(), ChildState::stopped);
  EXPECT_EQ(script.exits()[0].code, 4);
}

TEST(Supervisor, KillsAndReplacesASilentChild) {
  World world;
  Script script("trap '' TERM; while :; do sleep 1; done");
  const auto supervisor = supervise({.name = "silent",
                                     .backoff = {.first = 1ms, .most = 5ms},
                                     .heartbeat_timeout = 100ms,
                                     .stop_grace = 50ms},
                                    script, world.clock, world.log);
  EXPECT_TRUE(soon([&] { return supervisor->starts() >= 2; }));
  EXPECT_EQ(script.exits()[0].signal, SIGKILL);
}

TEST(Supervisor, LeavesAChildThatBeatsAndRestartsItOnDemand) {
  World world;
  Script script("sleep 100");
  const auto supervisor =
      supervise({.name = "calm", .backoff = {.first = 1ms, .most = 5ms}, .heartbeat_timeout = 300ms}, script,
                world.clock, world.log);
  for (int i = 0; i < 30; ++i, std::this_thread::sleep_for(20ms)) supervisor->beat();
  EXPECT_EQ(supervisor->starts(), 1U);
  supervisor->restart();
  EXPECT_TRUE(soon([&] { return supervisor->starts() == 2; }));
}

}  // namespace
}  // namespace holdfast::process
