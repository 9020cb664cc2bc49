#include "model/tasks/ctc_letters.h"

#include <gtest/gtest.h>

#include "io/disk.h"

namespace holdfast::model {
namespace {

void put(io::Disk& disk, const io::Path& path, std::string_view text) {
  const auto file = disk.create(path);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file.value()->append(as_bytes(text)).ok());
}

std::unique_ptr<io::Disk> folder(const std::string& config) {
  auto disk = io::make_memory_disk();
  const std::string letters = R"({"<pad>": 0, "<s>": 1, "|": 2, "A": 3, "B": 4, "'": 5, "S": 6, "İ": 7})";
  put(*disk, "vocab.json", letters);
  put(*disk, "tokenizer_config.json", config);
  return disk;
}

std::string written(const std::string& config, const std::vector<uint32_t>& best) {
  const auto disk = folder(config);
  const auto letters = CtcLetters::open(*disk, "");
  EXPECT_TRUE(letters.ok());
  const auto text = letters.value().write(best);
  EXPECT_TRUE(text.ok());
  return text.ok() ? text.value().text : "";
}

TEST(CtcLetters, WhatRepeatsIsOneLetterUnlessABlankStandsBetween) {
  EXPECT_EQ(written("{}", {3, 3, 3, 0, 3, 4, 4}), "AAB");
  EXPECT_EQ(written("{}", {0, 0, 0}), "");
  EXPECT_EQ(written("{}", {}), "");
}

TEST(CtcLetters, TheDelimiterIsASpaceAndNoneStandsAtTheEnds) {
  EXPECT_EQ(written("{}", {2, 3, 2, 2, 4, 2}), "A B");
}

TEST(CtcLetters, SpecialLettersStay) { EXPECT_EQ(written("{}", {3, 1, 4}), "A<s>B"); }

TEST(CtcLetters, TheConfigurationLowersAndCleansUp) {
  EXPECT_EQ(written(R"({"do_lower_case": true})", {3, 7}), "ai\xcc\x87");
  EXPECT_EQ(written(R"({"clean_up_tokenization_spaces": true, "do_lower_case": true})", {3, 2, 5, 6}), "a's");
}

TEST(CtcLetters, WordsHaveTheFramesOfTheirLetters) {
  const auto disk = folder("{}");
  const auto letters = CtcLetters::open(*disk, "");
  ASSERT_TRUE(letters.ok());
  const auto text = letters.value().write(std::vector<uint32_t>{0, 3, 3, 4, 2, 2, 0, 4});
  ASSERT_TRUE(text.ok());
  const auto words = letters.value().words(text.value());
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0].text, "AB");
  EXPECT_EQ(words[0].begin, 1U);
  EXPECT_EQ(words[0].end, 4U);
  EXPECT_EQ(words[1].text, "B");
  EXPECT_EQ(words[1].begin, 7U);
}

TEST(CtcLetters, ANumberWithoutALetterIsRefused) {
  const auto disk = folder("{}");
  const auto letters = CtcLetters::open(*disk, "");
  ASSERT_TRUE(letters.ok());
  EXPECT_EQ(letters.value().write(std::vector<uint32_t>{9}).error().reason, Reason::bad_request);
}

TEST(CtcLetters, OneLanguageOfSeveralIsTaken) {
  auto disk = io::make_memory_disk();
  put(*disk, "vocab.json", R"({"eng": {"<pad>": 0, "A": 1}, "fra": {"<pad>": 0, "É": 1}})");
  put(*disk, "tokenizer_config.json", R"({"target_lang": "fra"})");
  const auto letters = CtcLetters::open(*disk, "");
  ASSERT_TRUE(letters.ok());
  EXPECT_EQ(letters.value().write(std::vector<uint32_t>{1}).value().text, "É");
}

}  // namespace
}  // namespace holdfast::model
