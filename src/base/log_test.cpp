#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace holdfast {
namespace {

TEST(Log, an_event_is_one_line_of_json) {
  ManualClock clock;
  MemoryLogSink sink;
  Log log(sink, clock);
  log.info("repo_created",
           {{"name", "ada/engine"}, {"files", 3}, {"bytes", 7U}, {"ratio", 0.5}, {"new", true}});
  ASSERT_EQ(sink.lines().size(), 1U);
  EXPECT_EQ(sink.lines()[0],
            "{\"time\":\"2023-11-14T22:13:20.000Z\",\"level\":\"info\",\"event\":\"repo_created\","
            "\"name\":\"ada/engine\",\"files\":3,\"bytes\":7,\"ratio\":0.5,\"new\":true}\n");
}

TEST(Log, what_a_caller_sends_cannot_forge_a_line) {
  ManualClock clock;
  MemoryLogSink sink;
  Log log(sink, clock);
  log.warn("refused", {{"path", "a\"\n{\"level\":\"error\"}\x01\xff\xed\xa0\x80"}});
  EXPECT_NE(sink.lines()[0].find(R"("path":"a\"\n{\"level\":\"error\"}\u0001)"
                                 "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}\n"),
            std::string::npos)
      << sink.lines()[0];
}

TEST(Log, levels_below_the_least_are_dropped) {
  ManualClock clock;
  MemoryLogSink sink;
  Log log(sink, clock, LogLevel::warn);
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  EXPECT_EQ(sink.lines().size(), 2U);
}

TEST(Log, a_failure_says_why_and_where) {
  ManualClock clock;
  MemoryLogSink sink;
  Log log(sink, clock);
  log.failure("upload_failed", fail(Reason::disk_full, "the disk is full"), {{"trace_id", "00ff"}});
  log.failure("upload_failed", fail(Reason::bad_request, "no"));
  const std::string line = sink.lines()[0];
  EXPECT_NE(line.find(R"("level":"error","event":"upload_failed","code":"unavailable","reason":"disk_full",)"
                      R"("message":"the disk is full","file":"src/base/log_test.cpp","line":)"),
            std::string::npos)
      << line;
  EXPECT_TRUE(line.ends_with("\"trace_id\":\"00ff\"}\n"));
  EXPECT_NE(sink.lines()[1].find("\"level\":\"warn\""), std::string::npos);
}

TEST(Log, a_value_is_cut_at_its_bound) {
  ManualClock clock;
  MemoryLogSink sink;
  Log(sink, clock).info("long", {{"text", std::string(100'000, 'x')}});
  EXPECT_LT(sink.lines()[0].size(), 5000U);
}

TEST(Log, lines_that_could_not_be_written_are_counted) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  auto sink = make_fd_log_sink(ends[1]);
  const std::string filler(65536, 'x');  // The capacity of a pipe.
  sink->line(filler);
  sink->line("lost\n");
  sink->line("lost\n");
  std::string got(65536, '\0');
  ASSERT_EQ(::read(ends[0], got.data(), got.size()), 65536);
  sink->line("kept\n");
  const ssize_t count = ::read(ends[0], got.data(), got.size());
  EXPECT_EQ(got.substr(0, static_cast<size_t>(count)),
            "{\"level\":\"warn\",\"event\":\"log_lines_dropped\",\"count\":2}\nkept\n");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace holdfast
