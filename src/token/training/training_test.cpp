// What tokenizers 0.23.3 makes of the same three lines.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <map>

#include "token/tokenizer.h"
#include "token/training/bpe_trainer.h"
#include "token/training/substrings.h"
#include "token/training/train.h"
#include "token/training/unigram_trainer.h"

namespace holdfast::token {
namespace {

const std::vector<WordCount> words = {{"low", 5},    {"lower", 2}, {"newest", 6},
                                      {"widest", 3}, {"aaaa", 2},  {"aaa", 1}};

std::vector<std::string> texts_of(const TrainedBpe& trained) {
  std::vector<std::string> out;
  for (const auto& [left, right] : trained.merges)
    out.push_back(trained.tokens[left] + " " + trained.tokens[right]);
  return out;
}

TEST(BpeTrainer, merges_the_commonest_pair_and_of_equals_that_of_smaller_ids) {
  BpeTraining options;
  options.vocabulary_size = 30;
  options.special_tokens = {"<s>"};
  const TrainedBpe trained = train_bpe(words, options);
  EXPECT_EQ(trained.tokens, (std::vector<std::string>{
                                "<s>", "a",      "d",    "e",     "i",      "l",  "n",    "o",     "r",
                                "s",   "t",      "w",    "es",    "est",    "aa", "lo",   "low",   "ew",
                                "new", "newest", "dest", "idest", "widest", "er", "aaaa", "lower", "aaa"}));
  EXPECT_EQ(texts_of(trained),
            (std::vector<std::string>{"e s", "es t", "a a", "l o", "lo w", "e w", "n ew", "new est", "d est",
                                      "i dest", "w idest", "e r", "aa aa", "low er", "aa a"}));
}

TEST(BpeTrainer, stops_at_size_frequency_and_length) {
  BpeTraining options;
  options.vocabulary_size = 14;
  EXPECT_EQ(train_bpe(words, options).tokens.size(), 14U);
  options.vocabulary_size = 100;
  options.min_frequency = 7;
  EXPECT_EQ(texts_of(train_bpe(words, options)),
            (std::vector<std::string>{"e s", "es t", "a a", "l o", "lo w"}));
  options.min_frequency = 0;
  options.max_token_length = 3;
  for (const std::string& token : train_bpe(words, options).tokens) EXPECT_LE(token.size(), 3U) << token;
}

TEST(BpeTrainer, the_limit_of_the_alphabet_keeps_the_commonest_and_prefixes_mark_the_inner_ones) {
  BpeTraining options;
  options.limit_alphabet = 2;
  options.vocabulary_size = 2;
  EXPECT_EQ(train_bpe(words, options).tokens, (std::vector<std::string>{"e", "w"}));
  options = {};
  options.continuing_subword_prefix = "##";
  options.vocabulary_size = 100;
  const TrainedBpe trained = train_bpe(std::vector<WordCount>{{"aba", 3}}, options);
  EXPECT_EQ(trained.tokens, (std::vector<std::string>{"a", "b", "##b", "##a", "ab", "aba"}));
}

TEST(BpeTrainer, no_words_give_the_special_tokens_only) {
  BpeTraining options;
  options.special_tokens = {"[UNK]", "[UNK]", "x"};
  EXPECT_EQ(train_bpe({}, options).tokens, (std::vector<std::string>{"[UNK]", "x"}));
}

TEST(Substrings, are_those_that_cannot_be_longer) {
  const std::vector<WordCount> list = {{"abab", 1}, {"abc", 9}};
  const auto found = common_substrings(list, 16);
  ASSERT_TRUE(found.ok());
  // "ab" three times; "b" follows "a" always, so "a" is no node, and one character does not count.
  ASSERT_EQ(found.value().size(), 1U);
  EXPECT_EQ(found.value()[0].text, "ab");
  EXPECT_EQ(found.value()[0].score, 6U);
}

TEST(UnigramTrainer, gives_the_reference_scores) {
  UnigramTraining options;
  options.vocabulary_size = 20;
  options.unknown_token = "<unk>";
  std::vector<WordCount> marked;
  for (const WordCount& word : words) marked.push_back({"▁" + word.word, word.count});
  const auto trained = train_unigram(marked, options);
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_EQ(trained.value().unknown_id, 0U);
  const std::vector<std::pair<std::string, double>> wanted = {
      {"<unk>", 0},           {"e", -1.857195180302},  {"▁", -2.152582207660}, {"s", -2.156181832366},
      {"t", -2.156181832366}, {"▁low", -2.4287448969}, {"n", -2.590705641899}, {"we", -2.783020938050},
      {"w", -3.050647200915}, {"i", -3.374038975273},  {"d", -3.374038975273}, {"▁aaa", -3.374082623759},
      {"a", -3.873825165731}, {"l", -3.87393897527},   {"o", -3.87403897527},  {"r", -3.87403897527}};
  std::map<std::string, double> got;
  for (const TrainedPiece& piece : trained.value().pieces) got[piece.text] = piece.score;
  ASSERT_EQ(got.size(), wanted.size());
  // Characters that are no piece of their own get falling scores in an order that the reference leaves to
  // chance.
  for (const auto& [text, score] : wanted) EXPECT_NEAR(got.at(text), score, 3e-4) << text;
}

TEST(UnigramTrainer, refuses_a_vocabulary_smaller_than_the_alphabet) {
  UnigramTraining options;
  options.vocabulary_size = 3;
  EXPECT_FALSE(train_unigram(words, options).ok());
  EXPECT_FALSE(train_unigram({}, {}).ok());
}

TEST(TrainDocument, what_is_trained_loads_and_encodes) {
  for (const TrainedKind kind :
       {TrainedKind::bpe, TrainedKind::word_piece, TrainedKind::unigram, TrainedKind::word_level}) {
    TrainOptions options;
    options.kind = kind;
    options.vocabulary_size = 40;
    options.unknown_token = "[UNK]";
    AddedToken special;
    special.content = "[UNK]";
    options.special_tokens = {special};
    auto document = train_document({}, words, options);
    ASSERT_TRUE(document.ok()) << document.error().message;
    auto tokenizer = Tokenizer::from_document(document.value());
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    Input input;
    input.text = "newest";
    const auto encoding = tokenizer.value().encode(input, EncodeOptions());
    ASSERT_TRUE(encoding.ok());
    EXPECT_GE(encoding.value().size(), 1U);
    EXPECT_EQ(tokenizer.value().id_of("[UNK]"), 0U);
  }
}

}  // namespace
}  // namespace holdfast::token
