#include "observe/drift_book.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/json/object.hpp>

#include "base/random.h"

namespace holdfast::observe {
namespace {

struct DriftBookTest : ::testing::Test {
  DriftBook::Options options{.vocabulary_rows = 300, .reference_rows = 300, .window_rows = 300};
  DriftBook book{options};
  SeededRandom random{11};
  Secret key{std::string(64, 'k')};

  // Words of one of two vocabularies, as long as `words` says on average.
  InputFeatures message(const char* stem, uint64_t words, const char* often = "billing") {
    std::string text;
    for (uint64_t i = 0; i < words + random.below(words); ++i)
      text += std::string(stem) + std::to_string(random.below(40)) + " ";
    InputFeatures out = features_of("{\"inputs\":\"" + text + "\"}", "[]", key).at(0);
    out.label = random.below(3) == 0 ? "refund" : often;
    out.confidence = 0.6 + static_cast<double>(random.below(300)) / 1000;
    return out;
  }
  void play(size_t count, const char* stem, uint64_t words, const char* often = "billing") {
    for (size_t i = 0; i < count; ++i) book.add(message(stem, words, often));
  }
  double psi(std::string_view feature) const {
    for (const DriftBook::Moved& moved : book.figures().features)
      if (moved.feature == feature) return moved.psi;
    return -1;
  }
};

TEST_F(DriftBookTest, TheSameStreamStaysCalmAndAnotherOneMovesWhatChanged) {
  play(300, "old", 8);
  EXPECT_EQ(book.phase(), DriftBook::Phase::reference);
  play(300, "old", 8);
  EXPECT_TRUE(book.take_changed());
  EXPECT_TRUE(book.figures().features.empty()) << "nothing to compare yet";
  play(300, "old", 8);
  ASSERT_EQ(book.phase(), DriftBook::Phase::watching);
  for (const std::string_view feature : drift_features) EXPECT_LT(psi(feature), 0.25) << feature;
  EXPECT_EQ(book.figures().unseen_words, 0);

  play(300, "new", 8);
  EXPECT_GT(psi("unseen_words"), 0.25);
  EXPECT_EQ(book.figures().unseen_words, 1);
  EXPECT_LT(psi("characters"), 0.25);
  EXPECT_EQ(book.figures().features[0].feature, "unseen_words") << "the one that moved most is first";

  play(300, "old", 20);
  EXPECT_GT(psi("characters"), 0.25);
  EXPECT_LT(psi("label"), 0.1);
  play(300, "old", 8, "delivery");
  EXPECT_GT(psi("label"), 0.25);
  EXPECT_LT(psi("unseen_words"), 0.25);
}

TEST_F(DriftBookTest, FalseAlarmsAreRareOverManyWindowsOfAnUnchangedStream) {
  play(600, "old", 8);
  int alarms = 0;
  for (int window = 0; window < 100; ++window) {
    play(300, "old", 8);
    for (const std::string_view feature : drift_features) alarms += psi(feature) > 0.25 ? 1 : 0;
  }
  EXPECT_LE(alarms, 4) << "of 400";
}

TEST_F(DriftBookTest, AReferenceOutlivesARestartAndABrokenOneIsRefused) {
  play(600, "old", 8);
  const auto state = book.state();
  auto restored = DriftBook::restore(state, options);
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(restored.value().phase(), DriftBook::Phase::filling);
  SeededRandom same{99};
  book = std::move(restored).value();
  play(300, "new", 8);
  EXPECT_GT(psi("unseen_words"), 0.25);
  for (const char* name : {"taught", "words", "rows"}) {
    auto broken = state;
    broken[name] = "nonsense";
    EXPECT_FALSE(DriftBook::restore(broken, options).ok()) << name;
  }
}

TEST(InputFeatures, BodiesOfEveryDoorAreReadAndOthersGiveNothing) {
  const Secret key{std::string(64, 'k')};
  const auto count = [&](const char* body) { return features_of(body, "[]", key).size(); };
  EXPECT_EQ(count(R"({"inputs":"a b"})"), 1U);
  EXPECT_EQ(count(R"({"inputs":["a","b"]})"), 2U);
  EXPECT_EQ(count(R"({"input":["a","b","c"]})"), 3U);
  EXPECT_EQ(count(R"({"inputs":[{"text":"a","text_pair":"b"}]})"), 1U);
  EXPECT_EQ(count(R"({"inputs":[["a"],["b","c"]]})"), 2U);
  for (const char* body : {"", "[]", "{}", R"({"inputs":[[1,2]]})", R"({"inputs":7})", "not json"})
    EXPECT_EQ(count(body), 0U) << body;
  const auto two = features_of(R"({"inputs":["Hello, WORLD","größer"]})",
                               R"([[{"label":"x","score":0.9}],[{"label":"y","score":0.4}]])", key);
  EXPECT_EQ(two[0].words.size(), 2U);
  EXPECT_EQ(two[0].words, features_of(R"({"inputs":"hello world"})", "[]", key)[0].words);
  EXPECT_EQ(two[1].characters, 6) << "letters, not bytes";
  EXPECT_EQ(two[1].label, "y");
  EXPECT_EQ(two[1].confidence, 0.4);
}

}  // namespace
}  // namespace holdfast::observe
