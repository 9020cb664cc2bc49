#pragma once

#include <emmintrin.h>

#include <algorithm>

#include "token/fast/word_cache.h"
#include "token/rows.h"

namespace holdfast::token {

// Rows being appended: room is made for many at once, and what is left over is given back by finish().
class RowRoom {
 public:
  explicit RowRoom(Rows& out) : out_(out), used_(out.ids.size()) { point(); }

  // Room for so many more; what put_packed writes beyond its tokens has room of its own.
  void need(size_t rows) {
    if (used_ + rows + PackedTokens::tokens_max > room_) [[unlikely]]
      grow(rows);
  }

  void put(uint32_t id, Span offsets, int32_t word) {
    ids_[used_] = id;
    offsets_[used_] = offsets;
    words_[used_++] = word;
  }

  // A word whose ends are code points, the first of which is `code`.
  void put_packed(const PackedTokens& known, uint32_t code, int32_t word) {
    const __m128i tokens = _mm_load_si128(reinterpret_cast<const __m128i*>(known.at));
    const __m128i ids = _mm_and_si128(tokens, _mm_set1_epi32(PackedTokens::id_mask));
    const __m128i last = _mm_and_si128(_mm_srli_epi32(tokens, PackedTokens::end_shift), _mm_set1_epi32(15));
    const __m128i ends = _mm_add_epi32(last, _mm_set1_epi32(static_cast<int>(code + 1)));
    const __m128i sign = _mm_slli_si128(_mm_cvtsi32_si128(static_cast<int>(known.begins_with_sign())), 4);
    const __m128i begins =
        _mm_sub_epi32(_mm_or_si128(_mm_slli_si128(ends, 4), _mm_cvtsi32_si128(static_cast<int>(code))), sign);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(ids_ + used_), ids);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(offsets_ + used_), _mm_unpacklo_epi32(begins, ends));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(offsets_ + used_ + 2), _mm_unpackhi_epi32(begins, ends));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(words_ + used_), _mm_set1_epi32(word));
    used_ += known.count();
  }

  // The same where ends are bytes of the word: a token that holds a part of a character gets all of it.
  // Returns the code points of the word.
  uint32_t put_packed_wide(const FoundWord& found, const PackedTokens& known, uint32_t code, int32_t word) {
    const __m128i bytes =
        _mm_set_epi64x(static_cast<int64_t>(found.key.high), static_cast<int64_t>(found.key.low));
    // Bytes 0x80 to 0xBF are the ones below -64: characters begin with others.
    const auto inner = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmplt_epi8(bytes, _mm_set1_epi8(-64))));
    const uint32_t starts = ~inner & ((1U << found.bytes) - 1);
    uint32_t begin = 0;
    for (uint32_t i = 0; i < known.count(); ++i) {
      const uint32_t end = known.end(i);
      const uint32_t first = count_bits(starts & ((2U << begin) - 1)) - 1;
      put(known.id(i), {code + first, code + count_bits(starts & ((1U << end) - 1))}, word);
      begin = end;
    }
    return count_bits(starts);
  }
  uint32_t put_wide(const FoundWord& found, const WordTokens& tokens, uint32_t first, int32_t word) {
    size_t at = 0;
    uint32_t code = first;  // Code points that begin before `at`.
    for (uint32_t i = 0; i < tokens.count; ++i) {
      const uint32_t end = tokens.end(i);
      const bool inside = (found.at[at] & 0xC0U) == 0x80U;
      const uint32_t begin_code = inside ? code - 1 : code;
      for (; at < end; ++at) code += (found.at[at] & 0xC0U) != 0x80U ? 1 : 0;
      put(tokens.ids[i], {begin_code, code}, word);
    }
    for (; at < found.bytes; ++at) code += (found.at[at] & 0xC0U) != 0x80U ? 1 : 0;
    return code - first;
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

 private:
  static constexpr size_t step = 4096;

  // Bits set among the lowest 16.
  static uint32_t count_bits(uint32_t bits) {
    bits = (bits & 0x5555U) + (bits >> 1U & 0x5555U);
    bits = (bits & 0x3333U) + (bits >> 2U & 0x3333U);
    bits = (bits + (bits >> 4U)) & 0x0F0FU;
    return (bits + (bits >> 8U)) & 31U;
  }

  void grow(size_t rows) {
    const size_t size = used_ + std::max({rows + PackedTokens::tokens_max, step, used_ / 2});
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
