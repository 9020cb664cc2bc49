#include "token/added_tokens.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "token/case.h"
#include "token/tokenizer.h"

namespace holdfast::token {
namespace {

struct Row {
  const char* name;
  std::string_view text;
  std::vector<uint32_t> ids;  // Empty: refused.
  std::vector<Span> offsets;
};

class AddedInSpaces : public testing::TestWithParam<Row> {};

// Token 1 takes the spaces after it, 2 those before it, 3 none; answers of the reference library 0.23.3.
TEST_P(AddedInSpaces, AreCutOutAsTheReferenceDoes) {
  const auto tokenizer = Tokenizer::load(R"({"added_tokens":[
    {"id":1,"content":"<a>","rstrip":true},{"id":2,"content":"\n","lstrip":true},{"id":3,"content":"  "}],
    "model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const Row& row = GetParam();
  const auto got = tokenizer.value().encode({.text = row.text, .words = {}, .pair = {}}, {});
  ASSERT_EQ(got.ok(), !row.ids.empty());
  if (!got.ok()) return;
  EXPECT_EQ(got.value().ids, row.ids);
  EXPECT_EQ(got.value().offsets, row.offsets);
}

INSTANTIATE_TEST_SUITE_P(Texts, AddedInSpaces,
                         testing::Values(Row{"all_taken", "<a>\n", {1}, {{0, 4}}},
                                         Row{"taken_but_not_stripped", "<a>  ", {1, 3}, {{0, 5}, {3, 5}}},
                                         Row{"ends_before_it_begins", "<a>\n ", {}, {}},
                                         Row{"apart", "<a> x \n", {1, 0, 2}, {{0, 4}, {4, 5}, {5, 7}}}),
                         [](const auto& test) { return std::string(test.param.name); });

// Metaspace puts its sign before the piece that begins where the input begins, which is not where strip
// began.
TEST(AddedTokens, WhatIsStrippedIsNoPartOfThePiece) {
  const auto tokenizer =
      Tokenizer::load(R"({"normalizer":{"type":"Strip","strip_left":true,"strip_right":true},
    "pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":false},
    "model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"w":1,"_w":2}}})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  for (const auto& [text, id] : {std::pair<std::string_view, uint32_t>(" w", 1), {"w", 2}, {"w ", 2}}) {
    const auto got = tokenizer.value().encode({.text = text, .words = {}, .pair = {}}, {});
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got.value().ids, std::vector<uint32_t>{id}) << text;
  }
}

// What the normalizer makes nothing of is found before each byte; answers of the reference library 0.23.3.
TEST(AddedTokens, WhatIsNothingOnceNormalizedCutsEverywhere) {
  const auto tokenizer = [](std::string_view flags, std::string_view more) {
    auto made = Tokenizer::load(
        R"({"normalizer":{"type":"StripAccents"},"added_tokens":[{"id":5,"content":"\u0301",)" +
        std::string(flags) + R"("normalized":true})" + std::string(more) +
        R"(],"model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0,"a":1,"b":2,"ab":4,"c":6}}})");
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(made).value();
  };
  const auto ids = [](const Tokenizer& tokenizer, std::string_view text) {
    const auto got = tokenizer.encode({.text = text, .words = {}, .pair = {}}, {});
    return got.ok() ? got.value().ids : std::vector<uint32_t>{99};
  };
  using Ids = std::vector<uint32_t>;
  EXPECT_EQ(ids(tokenizer("", ""), "ab"), (Ids{1, 2}));
  EXPECT_EQ(ids(tokenizer("", ""), "a\u00E9"), Ids{99});
  EXPECT_EQ(ids(tokenizer("\"single_word\":true,", ""), "ab"), Ids{4});
  EXPECT_EQ(ids(tokenizer("\"rstrip\":true,", ""), "a  b"), (Ids{1, 5, 5, 2}));
  EXPECT_EQ(ids(tokenizer("\"lstrip\":true,\"rstrip\":true,", ""), "a  b"), (Ids{1, 5, 2}));
  constexpr std::string_view and_ab = R"(,{"id":6,"content":"ab","normalized":true})";
  EXPECT_EQ(ids(tokenizer("", and_ab), "abcab"), (Ids{4, 6, 4}));
  EXPECT_EQ(ids(tokenizer("\"rstrip\":true,", and_ab), "ab  c"), (Ids{4, 0, 5, 6}));
}

// The reference takes any of them.
TEST(AddedTokens, OfThoseThatAreOneTextOnceNormalizedTheLeastIdIsFound) {
  const auto tokenizer = Tokenizer::load(R"({"normalizer":{"type":"Lowercase"},"added_tokens":[
    {"id":1,"content":"X","normalized":true},{"id":2,"content":"x","normalized":true}],
    "model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const auto got = tokenizer.value().encode({.text = "xX", .words = {}, .pair = {}}, {});
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value().ids, (std::vector<uint32_t>{1, 1}));
}

// A stride may be as long as what the special tokens leave, but for none; answers of the reference 0.23.3.
TEST(Truncation, RefusesAStrideThatDoesNotFitWhateverTheText) {
  const auto tokenizer =
      Tokenizer::load(R"({"post_processor":{"type":"BertProcessing","sep":["?",0],"cls":["?",0]},
    "model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const auto is_refused = [&](int64_t length, int64_t stride) {
    const boost::json::object wanted{{"op", "truncate"},
                                     {"text", ""},
                                     {"max_length", length},
                                     {"stride", stride},
                                     {"strategy", "longest_first"},
                                     {"direction", "right"}};
    const auto answer = run_case(tokenizer.value(), wanted);
    return !answer.ok() || answer.value().contains("error");
  };
  EXPECT_TRUE(is_refused(2, 1));
  EXPECT_TRUE(is_refused(3, 2));
  EXPECT_FALSE(is_refused(1, 2));
  EXPECT_FALSE(is_refused(2, 0));
  EXPECT_FALSE(is_refused(3, 1));
}

}  // namespace
}  // namespace holdfast::token
