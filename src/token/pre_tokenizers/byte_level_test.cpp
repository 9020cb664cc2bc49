#include <gtest/gtest.h>

#include "token/tokenizer.h"

namespace holdfast::token {
namespace {

struct Row {
  std::string normalizer;
  std::string_view text;
  std::vector<uint32_t> ids;  // Empty: refused.
};

// What a normalizer put before the first character that came from the text does not become letters of bytes:
// the reference library 0.23.3 panics, we refuse the text.
TEST(ByteLevel, RefusesATextThatBeginsWithWhatCameFromNowhere) {
  const std::string prepend = R"({"type":"Prepend","prepend":""})";
  const Row rows[] = {{prepend, "fo", {}},
                      {prepend, "o", {2, 2}},  // All of the piece came from nowhere.
                      {R"({"type":"Replace","pattern":{"Regex":"^"},"content":"x"})", "fo", {}},
                      {R"({"type":"Prepend","prepend":"f"})", "fo", {1, 1, 2}}};
  for (const Row& row : rows) {
    const auto tokenizer = Tokenizer::load(R"({"normalizer":)" + row.normalizer +
                                           R"(,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
      "model":{"type":"BPE","unk_token":"?","vocab":{"?":0,"f":1,"o":2,"x":3},"merges":[]}})");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    const auto got = tokenizer.value().encode({.text = row.text, .words = {}, .pair = {}}, {});
    ASSERT_EQ(got.ok(), !row.ids.empty()) << row.normalizer << row.text;
    if (got.ok()) EXPECT_EQ(got.value().ids, row.ids);
  }
}

TEST(BertNormalizer, RefusesATextThatCameFromNowhere) {
  const auto tokenizer = Tokenizer::load(R"({"normalizer":{"type":"Sequence","normalizers":[
      {"type":"Prepend","prepend":""},
      {"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":true,"strip_accents":null,"lowercase":false}]},
    "model":{"type":"WordLevel","unk_token":"?","vocab":{"?":0}}})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_FALSE(tokenizer.value().encode({.text = "t", .words = {}, .pair = {}}, {}).ok());
}

}  // namespace
}  // namespace holdfast::token
