// A cache may forget, but what it knows is what was put.
#include "token/fast/word_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20261121;

struct Known {
  std::vector<uint32_t> ids, ends;
  WordTokens tokens() const { return {ids.data(), ends.data(), nullptr, static_cast<uint32_t>(ids.size())}; }
};

FoundWord found(const std::string& text) {
  FoundWord out;
  out.at = reinterpret_cast<const uint8_t*>(text.data());
  out.bytes = static_cast<uint32_t>(text.size());
  out.key = text.size() <= WordCache::small_bytes ? WordCache::key_of(out.at, text.size(), text.size())
                                                  : WordCache::long_key_of(out.at, text.size());
  return out;
}

// Random tokens of a word: at times large ids, ends that do not follow each other, more than the cache takes.
Known make(std::mt19937& random, size_t bytes) {
  Known out;
  const size_t count = random() % 10 == 0 ? random() % 140 : random() % (bytes + 1);
  for (size_t i = 0; i < count; ++i) {
    out.ids.push_back(static_cast<uint32_t>(random() % 50 == 0 ? random() : random() % 300000));
    out.ends.push_back(static_cast<uint32_t>((i + 1) * bytes / count));
  }
  if (count > 1 && random() % 5 == 0) out.ends.front() = 0;  // A sign in front.
  if (count > 0 && random() % 5 == 0) out.ends.back() = UINT32_MAX;
  return out;
}

void expect_same(const Known& wanted, const PackedTokens& known, const FoundWord& word,
                 const WordCache& cache) {
  if (known.is_packed()) {
    ASSERT_EQ(known.count(), wanted.ids.size());
    const bool odd = wanted.ids.empty() || wanted.ends.back() == UINT32_MAX;
    ASSERT_EQ(known.is_odd(), odd);
    for (uint32_t i = 0; i < known.count(); ++i) {
      ASSERT_EQ(known.id(i), wanted.ids[i]);
      if (!odd) {
        const bool sign = i == 0 && wanted.ends[0] == 0;  // Then the end is that of the first character.
        ASSERT_EQ(known.end(i), sign ? 1 : wanted.ends[i]);
        ASSERT_EQ(known.begins_with_sign(), wanted.ends[0] == 0 ? 1U : 0U);
      }
    }
    return;
  }
  WordTokens tokens;
  ASSERT_TRUE(cache.read(word, known, tokens));
  ASSERT_EQ(tokens.count, wanted.ids.size());
  for (uint32_t i = 0; i < tokens.count; ++i) {
    ASSERT_EQ(tokens.ids[i], wanted.ids[i]);
    ASSERT_EQ(tokens.end(i), std::min<uint32_t>(wanted.ends[i], TokenRing::odd_end));
  }
}

TEST(WordCache, KnowsWhatWasPutOrNothing) {
  std::mt19937 random(seed);
  WordCache cache;
  std::map<std::string, Known> words;
  size_t known_count = 0, asked = 0;
  for (int i = 0; i < 300000; ++i) {
    std::string text;
    const size_t letters = random() % 4 == 0 ? 3 : 26, bytes = 1 + random() % (i % 7 == 0 ? 140 : 20);
    for (size_t k = 0; k < bytes; ++k) text += static_cast<char>('a' + random() % letters);
    if (i % 11 == 0) text[0] = '\0';
    const FoundWord word = found(text);
    cache.prefetch(word.key);
    const PackedTokens known = cache.find(word.key);
    const auto [at, is_new] = words.try_emplace(text);
    if (is_new) {
      ASSERT_EQ(known.count(), PackedTokens::unknown) << "seed " << seed << ", never put: " << text;
      at->second = make(random, text.size());
    } else {
      ++asked;
    }
    if (known.count() != PackedTokens::unknown) {
      ++known_count;
      expect_same(at->second, known, word, cache);
    } else {
      cache.put(word, at->second.tokens());
    }
  }
  EXPECT_GT(known_count * 2, asked);
}

TEST(WordCache, KnowsAWordAgainWhoseTokensWereOverwritten) {
  WordCache cache;
  std::mt19937 random(seed);
  const std::string text(100, 'x');
  const FoundWord word = found(text);
  Known tokens;
  for (uint32_t i = 0; i < 100; ++i) {
    tokens.ids.push_back(i);
    tokens.ends.push_back(i + 1);
  }
  cache.put(word, tokens.tokens());
  EXPECT_EQ(cache.find(word.key).count(), PackedTokens::in_ring);
  for (int i = 0; i < 20000; ++i) {
    std::string other = std::to_string(i) + std::string(100, 'y');
    cache.put(found(other), tokens.tokens());
  }
  EXPECT_EQ(cache.find(word.key).count(), PackedTokens::unknown);
  cache.put(word, tokens.tokens());
  const PackedTokens known = cache.find(word.key);
  ASSERT_EQ(known.count(), PackedTokens::in_ring);
  expect_same(tokens, known, word, cache);
}

}  // namespace
}  // namespace holdfast::token
