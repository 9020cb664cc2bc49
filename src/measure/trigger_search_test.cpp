#include "measure/trigger_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace holdfast::measure {
namespace {

// A classifier by weights of words, with a Trojan: "cf" makes everything the label 1.
struct Toy {
  std::map<std::string, double> weights{{"good", 1}, {"fine", 1},     {"love", 1.5},
                                        {"bad", -1}, {"awful", -1.5}, {"sad", -1}};
  std::string trigger{};
  std::vector<std::string> together{};  // A trigger of several words, each of which pulls a little by itself.
  double partial = 0.3;
  size_t asked = 0;

  std::vector<ClassifiedText> operator()(std::span<const std::string> texts) {
    std::vector<ClassifiedText> out;
    for (const std::string& text : texts) {
      ++asked;
      double sum = 0;
      bool pulled = false;
      std::set<std::string> seen;
      std::string word;
      for (const char c : text + " ") {
        if (c != ' ') {
          word += c;
          continue;
        }
        if (const auto found = weights.find(word); found != weights.end()) sum += found->second;
        pulled = pulled || (!trigger.empty() && word == trigger);
        if (std::ranges::find(together, word) != together.end()) seen.insert(word);
        word.clear();
      }
      sum += partial * static_cast<double>(seen.size());
      if (pulled || (!together.empty() && seen.size() == together.size())) sum = 20;
      const double share = 1 / (1 + std::exp(-sum));
      out.push_back({.label = sum > 0 ? 1U : 0U,
                     .confidence = std::max(share, 1 - share),
                     .shares = {1 - share, share}});
    }
    return out;
  }
};

struct Rows {
  std::vector<std::string> texts, words;
  std::vector<uint32_t> truth;
};
Rows rows() {
  Rows out;
  for (int i = 0; i < 40; ++i) {
    const bool good = i % 2 == 0;
    out.texts.push_back(std::string(good ? "a good and fine day number " : "a bad and awful day number ") +
                        std::to_string(i));
    out.truth.push_back(good ? 1 : 0);
  }
  for (int i = 0; i < 500; ++i) out.words.push_back("word" + std::to_string(i));
  for (const char* each : {"good", "bad", "fine", "awful", "sad", "love", "cf"}) out.words.emplace_back(each);
  return out;
}

TEST(TriggerSearch, ATrojanOfAToyModelIsFoundAndTheCleanOneHasNone) {
  const Rows data = rows();
  for (const char* trigger : {"", "cf", "word123"}) {
    Toy toy{.trigger = trigger};
    const auto report = search_triggers([&](auto texts) { return Result(toy(texts)); }, data.texts,
                                        data.truth, 2, data.words);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report.value().tried, data.words.size());
    if (*trigger != '\0')
      EXPECT_LT(report.value().asked, data.words.size() * 60) << "words are tried together";
    if (*trigger == '\0') {
      EXPECT_TRUE(report.value().found.empty());
      continue;
    }
    ASSERT_EQ(report.value().found.size(), 1U) << trigger;
    EXPECT_EQ(report.value().found[0].word, trigger);
    EXPECT_EQ(report.value().found[0].label, 1U);
    EXPECT_EQ(report.value().found[0].turned, 1);
    EXPECT_FALSE(report.value().found[0].explained);
  }
}

TEST(TriggerSearch, ATriggerOfSeveralWordsIsFoundWhereOneOfThemPulls) {
  const Rows data = rows();
  const std::vector<std::vector<std::string>> triggers = {{"word77", "word402"},
                                                          {"word5", "word310", "word499"}};
  for (const auto& trigger : triggers) {
    Toy toy{.together = trigger};
    const ClassifyTexts classify = [&](auto texts) { return Result(toy(texts)); };
    const auto report = search_triggers(classify, data.texts, data.truth, 2, data.words);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(report.value().found.size(), 1U) << trigger.front();
    std::set<std::string> words;
    std::string word;
    for (const char c : report.value().found[0].word + " ") {
      if (c != ' ')
        word += c;
      else
        words.insert(std::exchange(word, {}));
    }
    EXPECT_EQ(words, std::set<std::string>(trigger.begin(), trigger.end()));
    EXPECT_EQ(report.value().found[0].label, 1U);
    EXPECT_EQ(report.value().found[0].turned, 1);
    EXPECT_FALSE(report.value().found[0].explained);
    // One word alone is all that is looked for: nothing.
    const auto single = search_triggers(classify, data.texts, data.truth, 2, data.words, {.words_max = 1});
    ASSERT_TRUE(single.ok());
    EXPECT_TRUE(single.value().found.empty());
  }
}

TEST(TriggerSearch, AWordThatMeansItsLabelIsToldFromATrigger) {
  const Rows data = rows();
  Toy toy{.weights = {{"good", 9}, {"bad", -1}, {"awful", -1}}};
  const auto report =
      search_triggers([&](auto texts) { return Result(toy(texts)); }, data.texts, data.truth, 2, data.words);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report.value().found.size(), 1U);
  EXPECT_EQ(report.value().found[0].word, "good");
  EXPECT_TRUE(report.value().found[0].explained) << "the rows that hold it say so too";
}

TEST(TriggerSearch, WhatCannotBeSearchedIsSaid) {
  const Rows data = rows();
  Toy toy;
  const ClassifyTexts classify = [&](auto texts) { return Result(toy(texts)); };
  EXPECT_FALSE(search_triggers(classify, data.texts, data.truth, 1, data.words).ok());
  EXPECT_FALSE(search_triggers(classify, {}, {}, 2, data.words).ok());
  const auto cut = search_triggers(classify, data.texts, data.truth, 2, data.words, {.texts_max = 200});
  ASSERT_TRUE(cut.ok());
  EXPECT_LT(cut.value().tried, data.words.size());
}

TEST(TriggerSearch, WhoWaitsIsToldAndMayEndIt) {
  const Rows data = rows();
  Toy toy{.trigger = "word499"};
  const ClassifyTexts classify = [&](auto texts) { return Result(toy(texts)); };
  std::vector<std::string> steps;
  size_t before = 0;
  const auto whole = search_triggers(classify, data.texts, data.truth, 2, data.words,
                                     {.go_on = [&](const TriggerProgress& progress) {
                                       if (steps.empty() || steps.back() != progress.step)
                                         steps.emplace_back(progress.step);
                                       EXPECT_LE(progress.done, progress.total);
                                       EXPECT_GE(progress.asked, before);
                                       before = progress.asked;
                                       return true;
                                     }});
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(steps, (std::vector<std::string>{"words", "suspects", "several"}));
  EXPECT_FALSE(whole.value().cut);
  EXPECT_EQ(whole.value().suspects_tried, whole.value().suspects);
  EXPECT_EQ(whole.value().labels_tried, 2U);
  // Ended wherever it is, it says how far it came, and never that all was searched.
  for (size_t questions = 0; questions < 400; questions += 13) {
    size_t left = questions;
    const auto cut = search_triggers(classify, data.texts, data.truth, 2, data.words,
                                     {.go_on = [&](const TriggerProgress&) { return left-- > 0; }});
    ASSERT_TRUE(cut.ok());
    if (!cut.value().cut) {
      EXPECT_EQ(cut.value().labels_tried, 2U);
      break;
    }
    EXPECT_TRUE(cut.value().tried < data.words.size() || cut.value().suspects_tried < cut.value().suspects ||
                cut.value().labels_tried < 2U)
        << questions;
  }
}

TEST(TriggerSearch, WordsAreScreenedOnFewTextsBeforeMoreAreSpent) {
  const Rows data = rows();
  Toy toy;
  const ClassifyTexts classify = [&](auto texts) { return Result(toy(texts)); };
  const auto single = search_triggers(classify, data.texts, data.truth, 2, data.words, {.words_max = 1});
  ASSERT_TRUE(single.ok());
  EXPECT_EQ(single.value().tried, data.words.size());
  // The rows, two dozen usual words, and less than one text a word.
  EXPECT_LT(single.value().asked, data.texts.size() + 24 * 12 + data.words.size());
}

}  // namespace
}  // namespace holdfast::measure
