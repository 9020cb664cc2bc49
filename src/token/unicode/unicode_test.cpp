#include <gtest/gtest.h>

#include <algorithm>

#include "token/normalized_text.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"
#include "token/unicode/utf8_blocks.h"

namespace holdfast::token {
namespace {

TEST(Utf8, EveryCodePointReadsBack) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    std::string text;
    append_utf8(text, code);
    ASSERT_TRUE(is_valid_utf8(text)) << std::hex << static_cast<uint32_t>(code);
    ASSERT_EQ(code_point_at(text, 0).value, code);
    ASSERT_EQ(code_point_at(text, 0).bytes, text.size());
  }
}

TEST(Utf8, BrokenSequencesAreRefused) {
  const std::string_view broken[] = {"\x80",         "\xC0\xAF",         "\xC1\xBF",         "\xE0\x80\x80",
                                     "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xF4\x90\x80\x80", "\xE2\x82",
                                     "a\xFF",        "\xF0\x80\x80\x80"};
  for (std::string_view text : broken) EXPECT_FALSE(is_valid_utf8(text));
  EXPECT_TRUE(is_valid_utf8(""));
}

TEST(Utf8, BlocksAreValidWhereCodePointsAre) {
  if (!can_validate_by_blocks()) GTEST_SKIP() << "no SSSE3";
  // Every lead and second byte across the end of a block, with thirds and fourths of each kind.
  const std::string_view others = "a\x7F\x80\x8F\x90\xBF\xC3\xF0";
  std::string text(40, 'x');
  for (const size_t at : {size_t{0}, size_t{13}, size_t{15}, size_t{35}})
    for (int lead = 0; lead < 256; ++lead)
      for (int second = 0; second < 256; ++second)
        for (const char third : others)
          for (const char fourth : {'a', '\x80', '\xE2'}) {
            std::fill(text.begin(), text.end(), 'x');
            text[at] = static_cast<char>(lead);
            text[at + 1] = static_cast<char>(second);
            text[at + 2] = third;
            text[at + 3] = fourth;
            const std::string_view cut =
                std::string_view(text).substr(0, at + 1 + static_cast<size_t>(second % 5));
            ASSERT_EQ(is_valid_by_blocks(text), is_valid_plain_utf8(text)) << testing::PrintToString(text);
            ASSERT_EQ(is_valid_by_blocks(cut), is_valid_plain_utf8(cut)) << testing::PrintToString(cut);
          }
}

TEST(NormalizedText, KnowsWhereEachByteCameFrom) {
  NormalizedText text(
      "\xC3\x85"
      "b\xE2\x84\xAB");  // Å b Å(ngström sign)
  text.decompose(Decomposition::canonical);
  text.filter([](char32_t code) { return !is_nonspacing_mark(code); });
  text.lower();
  EXPECT_EQ(text.text(), "aba");
  EXPECT_EQ(text.origin(0, 1), (Span{0, 2}));
  EXPECT_EQ(text.origin(1, 2), (Span{2, 3}));
  EXPECT_EQ(text.origin(0, 3), (Span{0, 6}));
  EXPECT_EQ(text.slice(1, 3).text(), "ba");
}

TEST(NormalizedText, MarksComeIntoCanonicalOrder) {
  NormalizedText text("a\xCC\x81\xCC\xA3");  // Acute (230) before dot below (220).
  text.decompose(Decomposition::canonical);
  EXPECT_EQ(text.text(), "a\xCC\xA3\xCC\x81");
}

TEST(Decompositions, AreOfCodePointsThatMayHaveOne) {
  size_t with_one = 0;
  for (char32_t code = 0; code < 0x110000; ++code)
    for (const Decomposition kind : {Decomposition::canonical, Decomposition::compatibility}) {
      std::vector<char32_t> parts;
      append_decomposed(parts, code, kind);
      const bool whole = parts.size() == 1 && parts[0] == code;
      ASSERT_TRUE(whole || may_decompose(code)) << std::hex << static_cast<uint32_t>(code);
      with_one += may_decompose(code) ? 1 : 0;
    }
  EXPECT_LT(with_one, 2 * 20'000U) << "of 1,114,112: syllables of Hangul are 11,172";
}

}  // namespace
}  // namespace holdfast::token
