#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "token/fast/word_model.h"

namespace holdfast::token {

// Words found and not yet looked up: while the next ones are found, what the cache knows of these is on its
// way. A sink has word(found), asked of each in order; it answers false where a word is for the plain path.
class WordBatch {
 public:
  static constexpr size_t size_max = 192;

  WordBatch(const WordModel& model, Workspace& workspace)
      : model_(model), workspace_(workspace), cache_(workspace.cache) {}

  // `readable` bytes may be read at it, of 1 at least. The bytes stay until the words are given out.
  void put(const uint8_t* at, size_t bytes, size_t readable) {
    FoundWord& word = words_[count_++];
    word.at = at;
    word.bytes = static_cast<uint32_t>(std::min<size_t>(bytes, UINT32_MAX));
    word.skipped = skipped_;
    skipped_ = 0;
    if (bytes <= WordCache::small_bytes) [[likely]] {
      word.key = WordCache::key_of(at, bytes, readable);
      cache_.prefetch_small(word.key);
    } else if (bytes <= WordCache::large_bytes) {
      word.key = WordCache::large_key_of(at, bytes);
      cache_.prefetch_large(word.key.place);
    }
  }
  void skip(uint32_t codes) { skipped_ += codes; }
  bool is_full() const { return count_ == size_max; }

  // Gives all words to the sink.
  template <class Sink>
  bool give(Sink& sink) {
    const size_t count = count_;
    count_ = 0;
    const FoundWord* unknown[size_max];
    size_t unknown_count = 0;
    for (size_t i = 0; i < count; ++i)
      if (words_[i].bytes > WordCache::small_bytes || !cache_.has_small(words_[i].key))
        unknown[unknown_count++] = &words_[i];
    if (unknown_count > 0) learn({unknown, unknown_count});
    for (size_t i = 0; i < count; ++i)
      if (!sink.word(words_[i])) [[unlikely]]
        return false;
    return true;
  }
  uint32_t skipped_last() const { return skipped_; }

 private:
  // Puts the tokens of these words into the cache, of many at once where the model can.
  void learn(std::span<const FoundWord*> words);

  const WordModel& model_;
  Workspace& workspace_;
  WordCache& cache_;
  size_t count_ = 0;
  uint32_t skipped_ = 0;
  FoundWord words_[size_max];
};

// The tokens of a word that is no small entry of the cache: of a large one, or made and put there.
bool tokens_of(const FoundWord& word, const WordModel& model, Workspace& workspace, WordTokens& out);

}  // namespace holdfast::token
