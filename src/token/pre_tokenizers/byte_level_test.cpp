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

}  // namespace
}  // namespace holdfast::token
