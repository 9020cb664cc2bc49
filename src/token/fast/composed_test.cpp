#include "token/fast/composed.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "token/normalized_text.h"
#include "token/unicode/properties.h"
#include "token/unicode/tables.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20240607;
constexpr Instructions ways[] = {Instructions::any, Instructions::avx2};

std::string composed(std::string_view text) {
  NormalizedText whole(text);
  whole.compose(Decomposition::canonical);
  return std::string(whole.text());
}

bool can(Instructions way) { return way <= best_instructions(); }

// Code points that composing has to do with, each kind of them as often as the others.
std::vector<std::vector<char32_t>> kinds_of_code_points() {
  std::vector<std::vector<char32_t>> out(5);
  for (char32_t code = 0x80; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    std::vector<char32_t> parts;
    append_decomposed(parts, code, Decomposition::canonical);
    if (parts.size() > 1 || parts[0] != code) out[0].push_back(code);
    if (combining_class(code) != 0) out[1].push_back(code);
  }
  for (size_t i = 0; i < tables::compositions.size(); i += 3) {
    out[2].push_back(tables::compositions[i]);
    out[3].push_back(tables::compositions[i + 1]);
  }
  for (char32_t code = 0x1100; code < 0x1200; ++code) out[4].push_back(code);
  return out;
}

std::string random_text(std::mt19937& random, const std::vector<std::vector<char32_t>>& kinds) {
  static const std::string_view plain[] = {
      "a", "e", " ", "\xE6\x97\xA5", "\xD0\xB8", "\xE0\xB8\x81", "0123456789abcdef"};
  std::string out;
  const size_t count = random() % 90;
  const bool mostly_plain = random() % 2 == 0;
  for (size_t i = 0; i < count; ++i) {
    if (random() % (mostly_plain ? 8 : 3) != 0) {
      out += plain[random() % std::size(plain)];
      continue;
    }
    const std::vector<char32_t>& kind = kinds[random() % kinds.size()];
    append_utf8(out, kind[random() % kind.size()]);
  }
  return out;
}

TEST(Composition, OfPartsIsThatOfTheWhole) {
  const auto kinds = kinds_of_code_points();
  std::mt19937 random(seed);
  size_t sure = 0, changed = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = random_text(random, kinds), whole = composed(text);
    changed += text != whole ? 1 : 0;
    for (const Instructions way : ways) {
      if (!can(way)) continue;
      std::string parts;
      compose_into(text, parts, nullptr, way);
      ASSERT_EQ(parts, whole) << "seed " << seed << " " << testing::PrintToString(text);
      if (!is_surely_composed(text, way)) continue;
      ASSERT_EQ(text, whole) << "seed " << seed << " " << testing::PrintToString(text);
      ++sure;
    }
  }
  EXPECT_GT(sure, 1000U);
  EXPECT_GT(changed, 1000U);
}

// Of each composed code point the code points it came from, as normalizing the whole text says.
TEST(Composition, KnowsWhereItsCodePointsCameFrom) {
  const auto kinds = kinds_of_code_points();
  std::mt19937 random(seed);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = random_text(random, kinds);
    NormalizedText whole(text);
    whole.compose(Decomposition::canonical);
    std::string parts;
    CodeOrigins origins;
    compose_into(text, parts, &origins);
    ASSERT_EQ(parts, whole.text());
    uint32_t code = 0;
    for_each_code_point(parts, [&](char32_t, size_t at, size_t bytes) {
      const Span came = whole.origin(at, at + bytes);
      const Span wanted{
          static_cast<uint32_t>(count_code_points(std::string_view(text).substr(0, came.begin))),
          static_cast<uint32_t>(count_code_points(std::string_view(text).substr(0, came.end)))};
      ASSERT_EQ(origins.of({code, code + 1}), wanted)
          << "seed " << seed << " " << testing::PrintToString(text);
      ++code;
    });
  }
}

TEST(Composition, OfTwoIsKnownForEachCodePointAfterEachKindOfBase) {
  static const char32_t bases[] = {'a',   ' ',   0xE9,   0x439,  0x3B1,  0x5D0, 0x928,
                                   0x9C7, 0xE01, 0x1100, 0xAC00, 0xAC01, 0x301, 0x323};
  for (const char32_t base : bases)
    for (char32_t code = 0x80; code < 0x30000; ++code) {
      if (code >= 0xD800 && code < 0xE000) continue;
      std::string text = "x";
      append_utf8(text, base);
      append_utf8(text, code);
      const std::string whole = composed(text);
      if (is_surely_composed(text))
        ASSERT_EQ(text, whole) << static_cast<uint32_t>(base) << " " << static_cast<uint32_t>(code);
    }
}

TEST(Composition, MarksInOrderThatJoinNothingAreSeenToBeComposed) {
  static const std::string_view texts[] = {
      "\xE0\xA4\xAE\xE0\xA5\x8C\xE0\xA4\xB8\xE0\xA4\xAE "
      "\xE0\xA4\x85\xE0\xA4\x9A\xE0\xA5\x8D\xE0\xA4\x9B\xE0\xA4\xBE",              // Devanagari
      "\xE0\xB8\xA7\xE0\xB8\xB1\xE0\xB8\x99\xE0\xB8\x99\xE0\xB8\xB5\xE0\xB9\x89",  // Thai
      "\xD7\xA9\xD6\xB8\xD7\x81\xD7\x9C\xD7\x95\xD6\xB9\xD7\x9D",                  // Hebrew
      "\xD8\xA5\xD9\x84\xD9\x8E\xD9\x89",                                          // Arabic
      "\xE0\xA6\x86\xE0\xA6\xAE\xE0\xA6\xBE\xE0\xA6\xB0",                          // Bengali
      "\xE3\x81\x93\xE3\x82\x8C\xE3\x81\xAF\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88",
      "\xEC\x95\x88\xEB\x85\x95 \xD1\x81\xD0\xB8\xD0\xB9 \xC3\xA9t\xC3\xA9"};
  for (const std::string_view text : texts)
    for (const Instructions way : ways)
      if (can(way)) EXPECT_TRUE(is_surely_composed(text, way)) << text;
}

}  // namespace
}  // namespace holdfast::token
