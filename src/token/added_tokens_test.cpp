#include "token/added_tokens.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace holdfast::token
