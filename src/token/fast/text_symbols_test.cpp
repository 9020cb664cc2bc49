// What a text is read as: its symbols, and what stands for characters that are none.
#include "token/fast/text_symbols.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20261123;
using Way = UnknownSymbols::Way;
using Found = std::vector<std::pair<uint32_t, size_t>>;

TextSymbols::Read read_into(const TextSymbols& symbols, std::string_view text, Found& out,
                            TextSymbols::Unknown unknown = TextSymbols::Unknown::put) {
  return symbols.read(text, [&](uint32_t id, size_t at) { return out.emplace_back(id, at), true; }, unknown);
}

TextSymbols symbols_of(Way way) {
  UnknownSymbols unknown{way, {}, 9};
  for (uint32_t byte = 0; byte < 256; ++byte) unknown.bytes[byte] = 1000 + byte;
  TextSymbols out(unknown);
  out.put(1, "a");
  out.put(2, "\xC3\xA9");
  return out;
}

TEST(TextSymbols, CharactersOfAnyWidthAreFoundAndNoOthers) {
  std::mt19937 random(seed);
  TextSymbols symbols;
  std::map<char32_t, uint32_t> known;
  for (uint32_t id = 0; id < 400; ++id) {
    char32_t code = random() % 3 == 0 ? random() % 0x110000 : random() % 0x500;
    if (code >= 0xD800 && code < 0xE000) code = 'x';
    std::string character;
    append_utf8(character, code);
    symbols.put(id, character);
    known[code] = id;  // The last of equal ones counts.
  }
  for (char32_t code = 0; code < 0x110000; code += code < 0x600 ? 1 : 1 + random() % 40) {
    if (code >= 0xD800 && code < 0xE000) continue;
    std::string character;
    append_utf8(character, code);
    Found found;
    const auto read = read_into(symbols, character, found);
    const auto wanted = known.find(code);
    ASSERT_EQ(read.refused, wanted == known.end()) << static_cast<uint32_t>(code);
    if (wanted != known.end()) ASSERT_EQ(found, (Found{{wanted->second, 0}}));
    ASSERT_EQ(read.any_wide, wanted != known.end() && code >= 0x80);
  }
}

TEST(TextSymbols, WhatStandsForUnknownCharactersIsTheirBytesOrOneForEachOrForAll) {
  const std::string text = "a??\xC3\xA8\xC3\xA9?";
  const std::map<Way, Found> wanted{{Way::bytes,
                                     {{1, 0},
                                      {1000 + '?', 1},
                                      {1000 + '?', 2},
                                      {1000 + 0xC3, 3},
                                      {1000 + 0xA8, 4},
                                      {2, 5},
                                      {1000 + '?', 7}}},
                                    {Way::one_each, {{1, 0}, {9, 1}, {9, 2}, {9, 3}, {2, 5}, {9, 7}}},
                                    {Way::one_for_all, {{1, 0}, {9, 1}, {2, 5}, {9, 7}}}};
  for (const auto& [way, tokens] : wanted) {
    Found found;
    const auto read = read_into(symbols_of(way), text, found);
    EXPECT_EQ(found, tokens);
    EXPECT_EQ(read.bytes, text.size());
    EXPECT_FALSE(read.refused);
  }
}

TEST(TextSymbols, ATextIsRefusedFromWhereNothingStandsForACharacter) {
  Found found;
  const auto nothing = read_into(symbols_of(Way::refuse), "aa?", found);
  EXPECT_TRUE(nothing.refused);
  EXPECT_EQ(nothing.bytes, 2U);
  EXPECT_TRUE(read_into(symbols_of(Way::one_each), "aa?", found, TextSymbols::Unknown::refuse).refused);
  EXPECT_TRUE(read_into(symbols_of(Way::one_each), "aa\xC3", found).refused);  // No character.
  EXPECT_TRUE(read_into(symbols_of(Way::bytes), "\xA9", found).refused);
}

}  // namespace
}  // namespace holdfast::token
