#include "serve/word_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "serve/guard_verdict.h"

namespace holdfast::serve {
namespace {

using Words = std::vector<std::string>;

struct Told {
  bool found = false;
  std::string let_through;  // Before it was found, or all.
};

Told tell(const Words& words, const std::vector<std::string>& pieces) {
  WordWatch watch(words);
  std::string all;
  Told out;
  for (const std::string& piece : pieces) {
    all += piece;
    if (watch.take(piece)) return out.found = true, out;
    EXPECT_LE(watch.cleared(), all.size());
    EXPECT_GE(watch.cleared(), out.let_through.size()) << "what was let through is held back again";
    out.let_through = all.substr(0, watch.cleared());
  }
  if (watch.end()) return out.found = true, out;
  out.let_through = all.substr(0, watch.cleared());
  EXPECT_EQ(out.let_through, all);
  return out;
}

TEST(WordWatch, NothingOfAWordOrPhraseIsLetThroughBeforeItIsWhole) {
  const Words words = {"black market", "forbidden"};
  const Told told = tell(words, {"Go to the ", "bla", "ck\n--", "mar", "ket now"});
  EXPECT_TRUE(told.found);
  EXPECT_EQ(told.let_through, "Go to the ");
  EXPECT_TRUE(tell(words, {"so forb", "idden"}).found) << "at the end of all";
}

TEST(WordWatch, WhatOnlyBeginsLikeOneIsLetThroughWhenItGoesOnOtherwise) {
  EXPECT_FALSE(tell({"forbidden"}, {"the forbidden", "s are"}).found);
  EXPECT_FALSE(tell({"black market"}, {"a black ", "marketeer and a black", " cat"}).found);
  WordWatch watch({"forbidden"});
  EXPECT_FALSE(watch.take("A clean text"));
  EXPECT_EQ(watch.cleared(), std::string_view("A clean text").size()) << "nothing is held of a clean text";
}

TEST(WordWatch, WritingWithoutSpacesIsHeldByItsLettersAlone) {
  const Told told = tell({"禁止"}, {"今日は", "良い禁", "。止"});
  EXPECT_FALSE(told.found);
  WordWatch watch({"禁止"});
  EXPECT_FALSE(watch.take("今日は良い禁"));
  EXPECT_EQ(watch.cleared(), std::string_view("今日は良い").size());
  EXPECT_TRUE(watch.take("止"));
}

// The plain twin: has_words over all of the text, and over what is left of it behind what was let through.
TEST(WordWatch, HoweverATextIsCutItFindsWhatIsFoundInTheWholeAndLetsNothingOfItThrough) {
  const Words words = {"black market", "forbidden", "a b c", "秘密", "ключ от дома", "naïve", "sесret", "c"};
  const std::vector<std::string> parts = {
      "black", " ",    "market", "forbid", "den", "-",  "a",      "b", "秘",   "密", "\n", "ключ",
      " от ",  "дома", "x",      ".",      "Ｃ",  "na", "\u200B", "ï", "ve",   "s",  "е",  "cret",
      "с",     "，",   "…",      "BLACK",  "the", "ka", "日本",   "e", "a b ", "ma"};
  std::mt19937 random(20261122);
  size_t found = 0, clean = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (size_t i = random() % 12 + 1; i > 0; --i) text += parts[random() % parts.size()];
    const Words some = {words[random() % words.size()], words[random() % words.size()]};
    if (random() % 4 == 0) text += " " + some[0] + (random() % 2 == 0 ? " " : "x ");
    for (size_t i = random() % 6; i > 0; --i) text += parts[random() % parts.size()];
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      size_t length = random() % 6 + 1;
      while (at + length < text.size() && (static_cast<uint8_t>(text[at + length]) & 0xC0) == 0x80) ++length;
      pieces.push_back(text.substr(at, length));
      at += length;
    }
    const Told told = tell(some, pieces);
    ASSERT_EQ(told.found, has_words(text, some)) << text << " | " << some[0] << " | " << some[1];
    if (told.found)
      ASSERT_TRUE(has_words(text.substr(told.let_through.size()), some)) << text << " | " << told.let_through;
    ++(told.found ? found : clean);
  }
  EXPECT_GT(found, 1000U);
  EXPECT_GT(clean, 1000U);
}

TEST(WordWatch, AWordWithoutEndTakesNoMoreThanItsWindow) {
  WordWatch watch({"forbidden", "禁止"});
  for (int i = 0; i < 3000; ++i) ASSERT_FALSE(watch.take("xforbiddenx"));
  EXPECT_TRUE(watch.take(" forbidden "));
}

}  // namespace
}  // namespace holdfast::serve
