#pragma once

#include <emmintrin.h>

#include <algorithm>

#include "token/fast/large_pages.h"
#include "token/fast/word_batch.h"

namespace holdfast::token {

// Ids only, appended to a vector by way of a buffer.
class IdSink {
 public:
  explicit IdSink(std::vector<uint32_t>& out) : out_(out) {}

  bool word(const FoundWord& word, const PackedTokens& found, WordBatch& batch) {
    if (used_ + PackedTokens::tokens_max > buffer_size) [[unlikely]]
      flush();
    if (!found.is_packed()) [[unlikely]]
      return other_word(word, found, batch);
    const __m128i tokens = _mm_load_si128(reinterpret_cast<const __m128i*>(found.at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(buffer_ + used_),
                     _mm_and_si128(tokens, _mm_set1_epi32(PackedTokens::id_mask)));
    used_ += found.count();
    return true;
  }

  void flush() {
    append(buffer_, used_);
    used_ = 0;
  }

 private:
  static constexpr size_t buffer_size = 4096;

  void append(const uint32_t* ids, size_t count) {
    const size_t size = out_.size() + count;
    if (size > out_.capacity()) reserve_large(out_, std::max(size, 2 * out_.capacity()));
    out_.insert(out_.end(), ids, ids + count);
  }

  [[gnu::noinline]] bool other_word(const FoundWord& word, const PackedTokens& found, WordBatch& batch) {
    WordTokens tokens;
    if (!batch.tokens_of(word, found, tokens)) return false;
    if (used_ + tokens.count > buffer_size) flush();
    if (tokens.count > buffer_size) {
      append(tokens.ids, tokens.count);
      return true;
    }
    std::copy_n(tokens.ids, tokens.count, buffer_ + used_);
    used_ += tokens.count;
    return true;
  }

  std::vector<uint32_t>& out_;
  size_t used_ = 0;
  uint32_t buffer_[buffer_size];
};

}  // namespace holdfast::token
