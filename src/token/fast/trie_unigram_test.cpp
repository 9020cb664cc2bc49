// The likeliest way through a long piece, given part by part, is the one the plain model finds.
#include "token/fast/trie_unigram.h"

#include <gtest/gtest.h>

#include <random>

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20261123;

TEST(TrieUnigram, GivesALongPieceAsThePlainModelDoes) {
  std::mt19937 random(seed);
  size_t unknown_tokens = 0;
  for (int round = 0; round < 24; ++round) {
    // Now and then of scores by which ways of many tokens stay equally good.
    const bool equal = round % 4 == 0;
    std::vector<std::string> texts = {"?", "a", "b", "c", "\xC3\xA9"};
    for (int i = 0; i < 30; ++i) {
      std::string text;
      for (size_t left = 2 + random() % 7; left > 0; --left) text += static_cast<char>('a' + random() % 3);
      texts.push_back(text);
    }
    std::vector<Unigram::Entry> entries;
    for (const std::string& text : texts)
      entries.push_back({text, equal ? -1.0 * static_cast<double>(text.size())
                                     : -static_cast<double>(1 + random() % 1000) / 64});
    const Unigram plain(entries, 0, ByteFallback::no);
    const auto fast = make_trie_unigram(plain);
    ASSERT_NE(fast, nullptr);
    static const std::string parts[] = {"a", "b", "c", "\xC3\xA9", "x", "\xE6\x97\xA5"};
    const size_t kinds = round % 3 == 0 ? 1 : round % 3 == 1 ? 3 : std::size(parts);
    std::string text;
    for (size_t left = 100 + random() % 90000; left > 0; --left) text += parts[random() % kinds];
    const auto wanted = plain.tokenize(text);
    Workspace workspace;
    ASSERT_TRUE(wanted.ok() && fast->tokenize(text, workspace));
    const auto rows = fast->tokens(text, workspace);
    ASSERT_TRUE(rows.ok());
    ASSERT_EQ(workspace.ids.size(), wanted.value().size()) << "seed " << seed << ", round " << round;
    ASSERT_EQ(rows.value().size(), wanted.value().size());
    for (size_t i = 0; i < wanted.value().size(); ++i) {
      ASSERT_EQ(workspace.ids[i], wanted.value()[i].id) << "seed " << seed << ", round " << round;
      ASSERT_EQ(workspace.ends[i], wanted.value()[i].range.end);
      ASSERT_EQ(rows.value()[i].id, wanted.value()[i].id);
      ASSERT_EQ(rows.value()[i].text, wanted.value()[i].text);
      unknown_tokens += wanted.value()[i].id == 0 ? 1 : 0;
    }
  }
  EXPECT_GT(unknown_tokens, 0U);
}

}  // namespace
}  // namespace holdfast::token
