#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "token/fast/word_model.h"

namespace holdfast::token {

// Words found and not yet looked up: while the next ones are found, what the cache knows of these is on its
// way. A sink has word(found, tokens), asked of each in order; it answers false where a word is for the plain
// path, and gets tokens that are not packed by tokens_of().
class WordBatch {
 public:
  static constexpr size_t size_max = Workspace::Batch::words_max;
  static_assert(size_max < TokenRing::records_ahead);

  WordBatch(const WordModel& model, Workspace& workspace)
      : model_(model),
        workspace_(workspace),
        cache_(workspace.cache),
        words_(workspace.batch.words.data()),
        found_(workspace.batch.found.data()),
        unknown_(workspace.batch.unknown.data()),
        made_(workspace.batch.made.data()) {}

  // `readable` bytes may be read at it, of 1 at least. The bytes stay until the words are given out.
  void put(const uint8_t* at, size_t bytes, size_t readable, WordPlace place = WordPlace::first) {
    FoundWord& word = words_[count_++];
    word.at = at;
    word.bytes = static_cast<uint32_t>(std::min<size_t>(bytes, UINT32_MAX));
    word.skipped = skipped_;
    skipped_ = 0;
    word.key = bytes <= WordCache::small_bytes ? WordCache::key_of(at, bytes, readable)
                                               : WordCache::long_key_of(at, bytes);
    if (place == WordPlace::goes_on) word.key.go_on();
    cache_.prefetch(word.key);
  }
  void skip(uint32_t codes) { skipped_ += codes; }
  bool is_full() const { return count_ == size_max; }
  bool has_room(size_t words) const { return count_ + words <= size_max; }

  // Gives all words to the sink.
  template <class Sink>
  bool give(Sink& sink) {
    const size_t count = count_;
    count_ = 0;
    size_t unknown_count = 0;
    for (size_t i = 0; i < count; ++i) {
      found_[i] = cache_.find(words_[i].key);
      unknown_[unknown_count] = static_cast<uint16_t>(i);
      unknown_count += found_[i].count() == PackedTokens::unknown ? 1 : 0;
    }
    if (unknown_count > 0) make(unknown_count);
    made_next_ = 0;
    for (size_t i = 0; i < count; ++i)
      if (!sink.word(words_[i], found_[i], *this)) [[unlikely]]
        return false;
    for (size_t i = 0; i < unknown_count; ++i)
      if (made_[i].ids != nullptr) cache_.put(words_[unknown_[i]], made_[i]);
    return true;
  }
  uint32_t skipped_last() const { return skipped_; }

  // The tokens of the word that the sink is given, where they are not packed.
  bool tokens_of(const FoundWord& word, const PackedTokens& found, WordTokens& out);

 private:
  // Tokens of the words that the cache does not know, of many at once where the model can.
  void make(size_t unknown_count);

  const WordModel& model_;
  Workspace& workspace_;
  WordCache& cache_;
  FoundWord* const words_;
  PackedTokens* const found_;
  uint16_t* const unknown_;
  WordTokens* const made_;
  size_t count_ = 0, made_next_ = 0;
  uint32_t skipped_ = 0;
};

}  // namespace holdfast::token
