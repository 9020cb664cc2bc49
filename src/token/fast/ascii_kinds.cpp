#include "token/fast/ascii_kinds.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593: its own header warns.
#endif
#include <immintrin.h>

#include <algorithm>

namespace holdfast::token {

AsciiKinds::AsciiKinds(const std::array<CodeKind, 0x80>& kinds) {
  for (size_t byte = 0; byte < kinds.size(); ++byte) {
    const bool printable = byte > ' ' && byte < 0x7F;
    if (kinds[byte] == CodeKind::word && printable) bits_[byte] = word_bit;
    if (kinds[byte] == CodeKind::separator) bits_[byte] = space_bit;
    if (kinds[byte] == CodeKind::alone) bits_[byte] = alone_bit;
  }
  const auto nibbles_of = [this](Bit bit) {
    Nibbles out{};
    for (size_t byte = 0; byte < bits_.size(); ++byte)
      if (bits_[byte] == bit) out[byte % out.size()] |= static_cast<uint8_t>(1U << byte / out.size());
    return out;
  };
  word_nibbles_ = nibbles_of(word_bit);
  space_nibbles_ = nibbles_of(space_bit);
  alone_nibbles_ = nibbles_of(alone_bit);
  words_ = ranges_of(word_bit);
  spaces_ = ranges_of(space_bit);
  alone_ = ranges_of(alone_bit);
}

AsciiKinds::Ranges AsciiKinds::ranges_of(Bit bit) const {
  Ranges out;
  for (size_t at = 0; at < bits_.size(); ++at) {
    const auto byte = static_cast<uint8_t>(at);
    if (bits_[at] != bit) continue;
    if (out.empty() || out.back().last + 1 != byte) out.push_back({byte, byte});
    out.back().last = byte;
  }
  return out;
}

void AsciiKinds::find(std::span<const uint8_t> text, std::vector<Block>& out,
                      Instructions instructions) const {
  out.resize((text.size() + block_bytes - 1) / block_bytes + 1);
  out.back() = {};
  if (instructions >= Instructions::avx512)
    find_by_avx512(text, out);
  else if (instructions >= Instructions::avx2)
    find_by_avx2(text, out);
  else
    find_by_any(text, out);
}

void AsciiKinds::find_by_any(std::span<const uint8_t> text, std::vector<Block>& out) const {
  for (size_t i = 0; i + 1 < out.size(); ++i) {
    const uint8_t* const at = text.data() + i * block_bytes;
    const size_t bytes = std::min(block_bytes, text.size() - i * block_bytes);
    const auto any_of = [&](const Ranges& ranges) {
      uint64_t bits = 0;
      for (const byte_bits::InRange& range : ranges) bits |= byte_bits::of_block(at, bytes, range);
      return bits;
    };
    out[i] = {any_of(words_), any_of(spaces_), any_of(alone_)};
  }
}

// The bytes at `at` whose upper bits are among those that the table has for their lower ones.
#define HOLD_AVX2 __attribute__((target("avx2")))
#define HOLD_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline
namespace {
HOLD_AVX2_INLINE uint64_t bits32(__m256i lower, __m256i upper, __m256i table) {
  const __m256i found = _mm256_and_si256(_mm256_shuffle_epi8(table, lower), upper);
  const __m256i none = _mm256_cmpeq_epi8(found, _mm256_setzero_si256());
  return static_cast<uint32_t>(~_mm256_movemask_epi8(none));
}
HOLD_AVX2_INLINE __m256i twice(const uint8_t* table) {
  return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
}
}  // namespace

HOLD_AVX2 void AsciiKinds::find_by_avx2(std::span<const uint8_t> text, std::vector<Block>& out) const {
  const __m256i words = twice(word_nibbles_.data()), spaces = twice(space_nibbles_.data()),
                alone = twice(alone_nibbles_.data());
  const __m256i one_of_eight = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201U));
  for (size_t i = 0; i + 1 < out.size(); ++i) {
    const uint8_t* at = text.data() + i * block_bytes;
    const size_t bytes = std::min(block_bytes, text.size() - i * block_bytes);
    std::array<uint8_t, block_bytes> last;
    if (bytes < block_bytes) {  // Nothing is read beyond the text.
      last.fill(0);
      std::copy_n(at, bytes, last.begin());
      at = last.data();
    }
    const uint64_t there = ~uint64_t{0} >> (block_bytes - bytes);
    out[i] = {};
    for (size_t half = 0; half < block_bytes; half += 32) {
      const __m256i block = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + half));
      // Beyond ASCII the table gives nothing.
      const __m256i lower = _mm256_and_si256(block, _mm256_set1_epi8(static_cast<char>(0x8F)));
      const __m256i row = _mm256_and_si256(_mm256_srli_epi16(block, 4), _mm256_set1_epi8(0x07));
      const __m256i upper = _mm256_shuffle_epi8(one_of_eight, row);
      out[i].words |= bits32(lower, upper, words) << half;
      out[i].spaces |= bits32(lower, upper, spaces) << half;
      out[i].alone |= bits32(lower, upper, alone) << half;
    }
    out[i] = {out[i].words & there, out[i].spaces & there, out[i].alone & there};
  }
}

__attribute__((target("avx512f,avx512bw,avx512vbmi"))) void AsciiKinds::find_by_avx512(
    std::span<const uint8_t> text, std::vector<Block>& out) const {
  const __m512i low = _mm512_load_si512(bits_.data()), high = _mm512_load_si512(bits_.data() + block_bytes);
  for (size_t i = 0; i + 1 < out.size(); ++i) {
    const size_t bytes = std::min(block_bytes, text.size() - i * block_bytes);
    const __mmask64 there = ~uint64_t{0} >> (block_bytes - bytes);
    const __m512i block = _mm512_maskz_loadu_epi8(there, text.data() + i * block_bytes);
    const __mmask64 ascii = there & ~_mm512_movepi8_mask(block);
    const __m512i kinds = _mm512_maskz_permutex2var_epi8(ascii, low, block, high);
    out[i] = {_mm512_test_epi8_mask(kinds, _mm512_set1_epi8(word_bit)),
              _mm512_test_epi8_mask(kinds, _mm512_set1_epi8(space_bit)),
              _mm512_test_epi8_mask(kinds, _mm512_set1_epi8(alone_bit))};
  }
}

}  // namespace holdfast::token
