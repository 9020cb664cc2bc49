#include "process/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "process/run.h"

namespace holdfast::process {
namespace {

using namespace std::chrono_literals;

SpawnOptions shell(const std::string& script) { return {.program = "/bin/sh", .arguments = {"-c", script}}; }

Result<Ran> run_shell(const std::string& script, RunOptions how = {}) {
  const SystemClock clock;
  return run(shell(script), how, clock);
}

bool alive(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(status, text);
  return !text.empty() && text.find(") Z ") == std::string::npos;
}

bool gone_soon(pid_t pid) {
  for (int i = 0; i < 200; ++i, std::this_thread::sleep_for(10ms))
    if (!alive(pid)) return true;
  return false;
}

TEST(Run, GivesInputAndTakesOutputErrorsAndCode) {
  const auto ran = run_shell("cat; echo broken >&2; exit 3", {.input = "hello"});
  ASSERT_TRUE(ran.ok()) << ran.error().message;
  EXPECT_EQ(ran.value().output, "hello");
  EXPECT_EQ(ran.value().errors, "broken\n");
  EXPECT_EQ(ran.value().exit.code, 3);
}

TEST(Run, PassesLargeInputThroughWithoutADeadlock) {
  const std::string input(3 << 20, 'x');
  const auto ran = run_shell("cat", {.input = input});
  ASSERT_TRUE(ran.ok()) << ran.error().message;
  EXPECT_EQ(ran.value().output, input);
}

TEST(Run, ChildSeesOnlyTheGivenEnvironmentAndItsFolder) {
  const SystemClock clock;
  SpawnOptions options{.program = "/usr/bin/env", .environment = {{"A", "1"}, {"B", "two words"}}};
  const auto ran = run(options, {}, clock);
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(ran.value().output, "A=1\nB=two words\n");
  options = shell("pwd");
  options.folder = "/usr";
  EXPECT_EQ(run(options, {}, clock).value().output, "/usr\n");
}

TEST(Run, ChildInheritsNoDescriptorItWasNotGiven) {
  int stray[2];
  ASSERT_EQ(::pipe(stray), 0);  // Without close-on-exec, on purpose.
  const auto ran = run_shell("ls /proc/self/fd | sort -n | tr '\\n' ' '");
  ::close(stray[0]);
  ::close(stray[1]);
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(ran.value().output, "0 1 2 3 ");  // 3 is ls reading the folder.
}

TEST(Run, FloodOfOutputIsRefusedAndOfErrorsCut) {
  const auto flood = run_shell("yes", {.output_bytes_max = 100'000});
  ASSERT_FALSE(flood.ok());
  EXPECT_EQ(flood.error().code, Code::too_large);
  const auto errors = run_shell("yes | head -c 1000000 >&2; echo end", {.errors_bytes_max = 1000});
  ASSERT_TRUE(errors.ok());
  EXPECT_EQ(errors.value().errors.size(), 1000U);
  EXPECT_EQ(errors.value().output, "end\n");
}

TEST(Run, TimeoutEndsTheWholeGroup) {
  const SystemClock clock;
  const auto began = clock.now();
  const auto ran = run_shell("sleep 60 & sleep 60", {.timeout = 200ms});
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(ran.error().reason, Reason::timed_out);
  EXPECT_LT(clock.now() - began, 5s);
}

TEST(Run, ClosedStandardInputOfTheChildIsNoError) {
  const auto ran = run_shell("exec 0<&-; echo done", {.input = std::string(1 << 20, 'x')});
  ASSERT_TRUE(ran.ok()) << ran.error().message;
  EXPECT_EQ(ran.value().output, "done\n");
}

TEST(Run, StopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(run_shell("sleep 60", {.stop = stop.get_token()}).error().reason, Reason::client_gone);
}

TEST(Spawn, MissingProgramAndFolderAreErrorsNotChildren) {
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "ThreadSanitizer makes vfork a fork, whose child cannot tell why it gave up";
#endif
#endif
  const auto program = Child::spawn({.program = "/no/such/program"});
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().reason, Reason::dependency_failed);
  EXPECT_FALSE(Child::spawn({.program = "/bin/true", .folder = "/no/such/folder"}).ok());
  EXPECT_EQ(Child::spawn({.program = "true"}).error().code, Code::invalid);
}

TEST(Spawn, ChildThatIgnoresTermIsKilled) {
  const SystemClock clock;
  auto options = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  options.output = Stream::pipe;
  auto child = Child::spawn(options);
  ASSERT_TRUE(child.ok());
  std::byte buffer[16];
  ASSERT_TRUE(read_some(child.value().output.raw(), buffer, clock, clock.now() + 5s).ok());
  const Exit exit = child.value().stop(clock, 200ms);
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.code, 128 + SIGKILL);
}

TEST(Spawn, DestroyingARunningChildKillsItsGrandchildren) {
  const SystemClock clock;
  pid_t grandchild = 0;
  {
    auto options = shell("sleep 100 & echo $!; wait");
    options.output = Stream::pipe;
    auto child = Child::spawn(options);
    ASSERT_TRUE(child.ok());
    std::array<std::byte, 32> buffer;
    const auto got = read_some(child.value().output.raw(), buffer, clock, clock.now() + 5s);
    ASSERT_TRUE(got.ok());
    grandchild = std::stoi(std::string(as_text(ByteView(buffer).first(got.value()))));
    ASSERT_TRUE(alive(grandchild));
  }
  EXPECT_TRUE(gone_soon(grandchild));
}

TEST(Spawn, LimitsHoldInTheChild) {
  const SystemClock clock;
  auto options = shell("ulimit -n; ulimit -v; ulimit -t; ulimit -c");
  options.limits = {.cpu_seconds = 7, .memory_bytes = 1 << 30, .open_files = 77};
  EXPECT_EQ(run(options, {}, clock).value().output, "77\n1048576\n7\n0\n");
  options = shell("while :; do :; done");
  options.limits = {.cpu_seconds = 1};
  const auto ran = run(options, {.timeout = 20s}, clock);
  ASSERT_TRUE(ran.ok()) << ran.error().message;
  EXPECT_NE(ran.value().exit.signal, 0);
}

TEST(Spawn, PassedDescriptorsArriveUnderTheirNumbers) {
  const SystemClock clock;
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Descriptor read(ends[0]);
  Descriptor write(ends[1]);
  auto options = shell("echo through >&5");
  options.passed = {{write.raw(), 5}};
  ASSERT_TRUE(run(options, {}, clock).ok());
  write.close();
  std::array<std::byte, 32> buffer;
  const auto got = read_some(read.raw(), buffer, clock, clock.now() + 5s);
  EXPECT_EQ(as_text(ByteView(buffer).first(got.value())), "through\n");
  options.passed = {{read.raw(), 2}};
  EXPECT_FALSE(Child::spawn(options).ok());
}

}  // namespace
}  // namespace holdfast::process
