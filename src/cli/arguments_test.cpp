#include "cli/arguments.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

constexpr Flag flags[] = {{"--json", FlagKind::plain}, {"--data"}, {"--scope", FlagKind::repeated}};

TEST(Arguments, are_sorted_into_flags_and_the_rest) {
  const std::string_view words[] = {"ada",      "--data",  "a", "--json", "--scope=x=y",
                                    "--data=b", "--scope", "z", "--",     "--json"};
  const auto parsed = Arguments::parse(words, flags, {1, 2, "NAME"});
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_TRUE(parsed.value().has("--json"));
  EXPECT_EQ(parsed.value().value("--data"), "b");
  EXPECT_EQ(parsed.value().values("--scope"), (std::vector<std::string>{"x=y", "z"}));
  EXPECT_EQ(parsed.value().rest(), (std::vector<std::string>{"ada", "--json"}));
}

TEST(Arguments, say_what_is_wrong) {
  struct Case {
    const char* why;
    std::vector<std::string_view> words;
    const char* part;
  };
  const Case cases[] = {
      {"unknown flag", {"a", "--fly"}, "no option --fly"},
      {"no value", {"a", "--data"}, "--data needs a value"},
      {"a value too many", {"a", "--json=1"}, "--json takes no value"},
      {"missing", {}, "NAME is missing"},
      {"too many", {"a", "b", "c"}, "'c' is one argument too many"},
  };
  for (const auto& [why, words, part] : cases) {
    const auto parsed = Arguments::parse(words, flags, {1, 2, "NAME"});
    ASSERT_FALSE(parsed.ok()) << why;
    EXPECT_NE(parsed.error().message.find(part), std::string::npos) << why << ": " << parsed.error().message;
    EXPECT_EQ(parsed.error().reason, Reason::bad_request);
  }
}

TEST(Spans, are_read_with_their_units) {
  struct Case {
    std::string_view text;
    int64_t seconds;  // -1: refused.
  };
  static constexpr Case cases[] = {
      {"90", 90}, {"90s", 90}, {"5m", 300}, {"25h", 90'000}, {"30d", 2'592'000},   {"2w", 1'209'600},
      {"", -1},   {"h", -1},   {"-1h", -1}, {"1y", -1},      {"999999999999w", -1}};
  for (const auto& [text, seconds] : cases) {
    const auto read = parse_span_seconds(text);
    EXPECT_EQ(read.ok() ? read.value() : -1, seconds) << text;
  }
}

}  // namespace
}  // namespace holdfast::cli
