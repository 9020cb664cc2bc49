#include <gtest/gtest.h>

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

}  // namespace
}  // namespace holdfast::token
