#pragma once

#include <emmintrin.h>

#include <algorithm>

#include "token/fast/word_cache.h"
#include "token/fast/workspace.h"

namespace holdfast::token {

// Rows being appended: room is made for many at once, and what is left over is given back by finish().
class RowRoom {
 public:
  explicit RowRoom(Rows& out) : out_(out), used_(out.ids.size()) { point(); }

  // Room for so many more; what put_small writes beyond its tokens has room of its own.
  void need(size_t rows) {
    if (used_ + rows + WordCache::small_tokens > room_) [[unlikely]]
      grow(rows);
  }

  void put(uint32_t id, Span offsets, int32_t word) {
    ids_[used_] = id;
    offsets_[used_] = offsets;
    words_[used_++] = word;
  }

  // A word whose ends are code points, the first of which is `code`.
  void put_small(const WordCache::Small& known, uint32_t code, int32_t word) {
    const __m128i tokens = _mm_load_si128(reinterpret_cast<const __m128i*>(known.tokens));
    const __m128i ids = _mm_and_si128(tokens, _mm_set1_epi32(WordCache::Small::id_mask));
    const __m128i last =
        _mm_and_si128(_mm_srli_epi32(tokens, WordCache::Small::end_shift), _mm_set1_epi32(15));
    const __m128i ends = _mm_add_epi32(last, _mm_set1_epi32(static_cast<int>(code + 1)));
    const __m128i begins = _mm_or_si128(_mm_slli_si128(ends, 4), _mm_cvtsi32_si128(static_cast<int>(code)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(ids_ + used_), ids);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(offsets_ + used_), _mm_unpacklo_epi32(begins, ends));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(offsets_ + used_ + 2), _mm_unpackhi_epi32(begins, ends));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(words_ + used_), _mm_set1_epi32(word));
    used_ += known.count();
  }

  size_t size() const { return used_; }
  Span& offsets(size_t row) { return offsets_[row]; }
  Rows& rows() { return out_; }

  // The vectors are as long as what is in them; more may be put afterwards.
  void finish() {
    out_.ids.resize(used_);
    out_.offsets.resize(used_);
    out_.words.resize(used_);
    point();
  }
  // What others put into the vectors after finish() counts too.
  void look_again() {
    used_ = out_.ids.size();
    point();
  }

 private:
  static constexpr size_t step = 4096;

  void grow(size_t rows) {
    const size_t size = used_ + std::max({rows + WordCache::small_tokens, step, used_ / 2});
    out_.ids.resize(size);
    out_.offsets.resize(size);
    out_.words.resize(size);
    point();
  }
  void point() {
    room_ = out_.ids.size();
    ids_ = out_.ids.data();
    offsets_ = out_.offsets.data();
    words_ = out_.words.data();
  }

  Rows& out_;
  size_t used_, room_ = 0;
  uint32_t* ids_ = nullptr;
  Span* offsets_ = nullptr;
  int32_t* words_ = nullptr;
};

}  // namespace holdfast::token
