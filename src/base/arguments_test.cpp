#include "base/arguments.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

constexpr FlagRow flags[] = {
    {.name = "--email", .value = "E", .help = "Where letters go."},
    {.name = "--admin", .help = "May do everything."},
    {.name = "--scope", .value = "S", .help = "What it may do.", .times = FlagRow::Times::many},
    {.name = "--output", .value = "FILE", .help = "Where it goes.", .letter = "-o"},
};
constexpr CommandLine line = {.flags = flags, .positionals_min = 1, .positionals_max = 2};

Result<Arguments> parse(std::vector<std::string_view> words) { return Arguments::parse(line, words); }

TEST(Arguments, flags_and_positionals_mix) {
  const Arguments arguments =
      parse({"ada", "--email=a@b", "--scope", "x", "--admin", "--scope=y=z", "-o", "-5", "--", "--admin"})
          .value();
  EXPECT_EQ(arguments.positionals(), (std::vector<std::string_view>{"ada", "--admin"}));
  EXPECT_EQ(arguments.value("--email"), "a@b");
  EXPECT_TRUE(arguments.has("--admin"));
  EXPECT_EQ(arguments.all("--scope"), (std::vector<std::string_view>{"x", "y=z"}));
  EXPECT_EQ(arguments.value("--output"), "-5");
  EXPECT_EQ(arguments.value_or("--none", "x"), "x");
  EXPECT_EQ(parse({"-"}).value().positionals()[0], "-");
  EXPECT_EQ(parse({"a", "--email="}).value().value("--email"), "");
}

struct Refusal {
  const char* why;
  std::vector<std::string_view> words;
  std::string_view message;
};
const Refusal refusals[] = {
    {"none given", {}, "1 argument is needed, 0 given"},
    {"too many", {"a", "b", "c"}, "'c' is one argument too many"},
    {"a slip", {"a", "--emial", "x"}, "there is no flag '--emial'; did you mean '--email'?"},
    {"a value too many", {"a", "--admin=yes"}, "--admin takes no value"},
    {"a value too few", {"a", "--email"}, "--email needs a value: E"},
    {"a flag as value", {"a", "--email", "--admin"}, "--email needs a value: E"},
    {"twice", {"a", "--email", "x", "--email", "y"}, "--email is given twice"},
};

TEST(Arguments, misuse_is_told_in_words) {
  for (const auto& [why, words, message] : refusals) {
    const auto arguments = parse(words);
    ASSERT_FALSE(arguments.ok()) << why;
    EXPECT_EQ(arguments.error().message, message) << why;
  }
}

TEST(Arguments, help_shows_every_flag) {
  const std::string help = flags_help(flags);
  EXPECT_NE(help.find("  -o, --output FILE "), std::string::npos) << help;
  EXPECT_NE(help.find("  --admin "), std::string::npos) << help;
}

}  // namespace
}  // namespace holdfast
