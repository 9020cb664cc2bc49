#include "codec/ndjson.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/random.h"

namespace holdfast::codec {
namespace {

std::vector<std::string> split(std::string_view text, size_t piece_bytes, size_t bytes_max, Status& outcome) {
  std::vector<std::string> lines;
  LineSplitter splitter(bytes_max);
  const auto keep = [&lines](std::string_view line) -> Status {
    lines.emplace_back(line);
    return Done{};
  };
  outcome = Done{};
  while (!text.empty() && outcome.ok()) {
    outcome = splitter.update(text.substr(0, piece_bytes), keep);
    text.remove_prefix(std::min(piece_bytes, text.size()));
  }
  if (outcome.ok()) outcome = splitter.finish(keep);
  return lines;
}

TEST(Ndjson, lines_are_the_same_however_they_are_cut) {
  const std::vector<std::string> expected = {"{\"a\":1}", "x", "last"};
  for (size_t piece = 1; piece < 30; ++piece) {
    Status outcome;
    EXPECT_EQ(split("{\"a\":1}\n\n\r\nx\r\nlast", piece, 100, outcome), expected) << piece;
    EXPECT_TRUE(outcome.ok());
  }
}

TEST(Ndjson, a_line_beyond_the_limit_is_refused_before_its_end_comes) {
  for (size_t piece : {1UL, 3UL, 100UL}) {
    Status outcome;
    split("12345678\n123456789", piece, 8, outcome);
    EXPECT_EQ(outcome.error().reason, Reason::body_too_large) << piece;
    split("123456789\n", piece, 8, outcome);
    EXPECT_FALSE(outcome.ok()) << piece;
    EXPECT_EQ(split("12345678\n12345678", piece, 8, outcome).size(), 2U) << piece;
    EXPECT_TRUE(outcome.ok()) << piece;
  }
}

TEST(Ndjson, the_listener_can_stop_it) {
  LineSplitter splitter(100);
  int heard = 0;
  const auto refuse = [&heard](std::string_view) -> Status {
    ++heard;
    return fail(Reason::bad_request, "no");
  };
  EXPECT_FALSE(splitter.update("a\nb\n", refuse).ok());
  EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace holdfast::codec
