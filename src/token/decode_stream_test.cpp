#include "token/decode_stream.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace holdfast::token {
namespace {

// Bytes of "é", "อ" and "😀" as tokens of their own.
constexpr std::string_view json =
    R"({"model": {"type": "BPE", "vocab": {"a": 0, "<0xC3>": 1, "<0xA9>": 2, "<0xF0>": 3,
  "<0x9F>": 4, "<0x98>": 5, "<0x80>": 6, "<s>": 7, "▁b": 8}, "merges": [], "byte_fallback": true},
  "added_tokens": [{"id": 7, "content": "<s>", "special": true}],
  "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    {"type": "ByteFallback"}, {"type": "Fuse"}]}})";

TEST(DecodeStream, gives_whole_characters_only_and_nothing_twice) {
  const auto tokenizer = Tokenizer::load(json);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const std::vector<uint32_t> ids = {7, 0, 1, 2, 8, 3, 4, 5, 6, 0, 8, 1, 2};
  DecodeStream stream(tokenizer.value(), Tokenizer::SpecialsInOutput::skip);
  std::string all;
  size_t silent = 0;
  for (const uint32_t id : ids) {
    const auto text = stream.step(std::span(&id, 1));
    ASSERT_TRUE(text.ok()) << text.error().message;
    if (!text.value()) ++silent;
    const std::string given = text.value().value_or("");
    EXPECT_TRUE(is_utf8(given));
    all += given;
  }
  const auto rest = stream.finish();
  ASSERT_TRUE(rest.ok());
  all += rest.value();
  EXPECT_EQ(all, tokenizer.value().decode(ids, Tokenizer::SpecialsInOutput::skip).value());
  EXPECT_EQ(silent, 6U);  // <s>, C3, F0 9F 98, C3.
}

TEST(DecodeStream, a_byte_that_breaks_what_was_shown_is_one_of_its_own) {
  const auto tokenizer = Tokenizer::load(json);
  ASSERT_TRUE(tokenizer.ok());
  DecodeStream stream(tokenizer.value(), Tokenizer::SpecialsInOutput::keep);
  const std::vector<uint32_t> whole = {1, 2};
  EXPECT_EQ(stream.step(whole).value(), "é");
  const uint32_t broken = 2;
  EXPECT_EQ(stream.step(std::span(&broken, 1)).value(), std::nullopt);
  EXPECT_EQ(stream.finish().value(), "\uFFFD");
}

TEST(DecodeStream, goes_on_from_what_was_shown_before) {
  const auto tokenizer = Tokenizer::load(json);
  ASSERT_TRUE(tokenizer.ok());
  DecodeStream stream(tokenizer.value(), Tokenizer::SpecialsInOutput::skip, {0, 8});
  const uint32_t next = 8;
  const auto text = stream.step(std::span(&next, 1));
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text.value(), " b");
}

}  // namespace
}  // namespace holdfast::token
