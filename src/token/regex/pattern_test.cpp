#include <gtest/gtest.h>

#include "token/regex/regex.h"
#include "token/tokenizer.h"

namespace holdfast::token {
namespace {

struct Row {
  const char* name;
  std::string_view pattern;
  bool half, cent, dollar, underscore;  // What it matches, as the reference library 0.23.3 answers.
};

class Classes : public testing::TestWithParam<Row> {};

bool matches(std::string_view pattern, std::string_view text) {
  std::string escaped;
  for (const char letter : pattern) escaped += letter == '\\' ? std::string("\\\\") : std::string(1, letter);
  const auto tokenizer = Tokenizer::load(
      R"({"pre_tokenizer":{"type":"Split","behavior":"Removed","invert":false,"pattern":{"Regex":")" +
      escaped + R"("}},"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})");
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const auto got = tokenizer.value().encode({.text = text, .words = {}, .pair = {}}, {});
  EXPECT_TRUE(got.ok());
  return got.value().ids.empty();
}

TEST_P(Classes, HoldWhatTheyHoldInTheReference) {
  const Row& row = GetParam();
  EXPECT_EQ(matches(row.pattern, "\xC2\xBD"), row.half);
  EXPECT_EQ(matches(row.pattern, "\xC2\xA2"), row.cent);
  EXPECT_EQ(matches(row.pattern, "$"), row.dollar);
  EXPECT_EQ(matches(row.pattern, "_"), row.underscore);
}

INSTANTIATE_TEST_SUITE_P(
    Words, Classes,
    testing::Values(Row{"word", R"(\w)", true, false, false, true},
                    Row{"word_in_brackets", R"([\w])", false, false, false, true},
                    Row{"no_word_in_brackets", R"([\W])", true, true, true, false},
                    Row{"word_property", R"(\p{Word})", true, false, false, true},
                    Row{"word_property_in_brackets", R"([\p{Word}])", false, false, false, true},
                    Row{"word_of_posix", "[[:word:]]", false, false, false, true},
                    Row{"punctuation_property", R"(\p{Punct})", false, false, false, true},
                    Row{"punctuation_of_posix", "[[:punct:]]", false, true, true, true}),
    [](const auto& test) { return std::string(test.param.name); });

// Of "aAıİkKſsßẞ1", what a pattern matches of each character alone, as the reference library 0.23.3 answers.
TEST(Caseless, ClassesHaveTheOtherCasesOfWhatIsNamedInTheirOutermostBrackets) {
  constexpr std::string_view letters[] = {"a",        "A", "\xC4\xB1", "\xC4\xB0",     "k", "\xE2\x84\xAA",
                                          "\xC5\xBF", "s", "\xC3\x9F", "\xE1\xBA\x9E", "1"};
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"((?i)[a-z])", "aAk\xE2\x84\xAA\xC5\xBFs"},
      {R"((?i)[^a-z])",
       "\xC4\xB1\xC4\xB0\xC3\x9F\xE1\xBA\x9E"
       "1"},
      {R"((?i)[^K])",
       "aA\xC4\xB1\xC4\xB0\xC5\xBFs\xC3\x9F\xE1\xBA\x9E"
       "1"},
      {R"((?i)\p{Lu})", "A\xC4\xB0\xE2\x84\xAA\xE1\xBA\x9E"},
      {R"((?i)[\p{Lu}])", "aA\xC4\xB0k\xE2\x84\xAA\xC5\xBFs\xC3\x9F\xE1\xBA\x9E"},
      {R"((?i)[a-z&&[^k]])", "aA\xC5\xBFs"},
      {R"((?i)[ß])", "\xC3\x9F\xE1\xBA\x9E"},
  };
  for (const auto& [pattern, wanted] : rows) {
    std::string got;
    for (const std::string_view letter : letters)
      if (matches(pattern, letter)) got += letter;
    EXPECT_EQ(got, wanted) << pattern;
  }
}

// The end of a line is before each line feed and at the end of the text, after one too; a begin is not there.
TEST(Lines, EndAndBeginWhereTheReferenceHasThem) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"$", "aX\nX|X\nX|aX\nbX\nX"}, {"\\s+$", "aX|X|a\nbX"},  {"\\n?$", "aX|X|aX\nbX"},
      {"^", "Xa\n|X\n|Xa\nXb\n"},    {"^$", "a\n|X\n|a\nb\n"}, {"\\z", "a\nX|\nX|a\nb\nX"}};
  for (const auto& [pattern, wanted] : rows) {
    const auto regex = compile_regex(pattern);
    ASSERT_TRUE(regex.ok()) << pattern;
    std::string got;
    for (const std::string_view text : {"a\n", "\n", "a\nb\n"}) {
      if (!got.empty()) got += '|';
      const auto found = regex.value()->find(text);
      ASSERT_TRUE(found.ok()) << pattern;
      for (const Match& match : found.value())
        got += match.delimiter ? std::string("X")
                               : std::string(text.substr(match.begin, match.end - match.begin));
    }
    EXPECT_EQ(got, wanted) << pattern;
  }
}

}  // namespace
}  // namespace holdfast::token
