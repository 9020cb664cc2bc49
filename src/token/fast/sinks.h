#pragma once

#include <emmintrin.h>

#include "token/fast/word_batch.h"

namespace holdfast::token {

// Ids only, appended to a vector by way of a buffer.
class IdSink {
 public:
  IdSink(const WordModel& model, Workspace& workspace, std::vector<uint32_t>& out)
      : model_(model), workspace_(workspace), out_(out) {}

  bool word(const FoundWord& word) {
    if (used_ + WordCache::small_tokens > buffer_size) [[unlikely]]
      flush();
    if (word.bytes <= WordCache::small_bytes) [[likely]]
      if (const WordCache::Small* const known = workspace_.cache.find_small(word.key)) [[likely]] {
        const __m128i tokens = _mm_load_si128(reinterpret_cast<const __m128i*>(known->tokens));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(buffer_ + used_),
                         _mm_and_si128(tokens, _mm_set1_epi32(WordCache::Small::id_mask)));
        used_ += known->count();
        return true;
      }
    return other_word(word);
  }

  void flush() {
    out_.insert(out_.end(), buffer_, buffer_ + used_);
    used_ = 0;
  }

 private:
  static constexpr size_t buffer_size = 4096;

  [[gnu::noinline]] bool other_word(const FoundWord& word) {
    WordTokens tokens;
    if (!tokens_of(word, model_, workspace_, tokens)) return false;
    if (used_ + tokens.count > buffer_size) flush();
    if (tokens.count > buffer_size) {
      out_.insert(out_.end(), tokens.ids, tokens.ids + tokens.count);
      return true;
    }
    std::copy_n(tokens.ids, tokens.count, buffer_ + used_);
    used_ += tokens.count;
    return true;
  }

  const WordModel& model_;
  Workspace& workspace_;
  std::vector<uint32_t>& out_;
  size_t used_ = 0;
  uint32_t buffer_[buffer_size];
};

}  // namespace holdfast::token
