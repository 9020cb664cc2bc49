#include "token/fast/ascii_block.h"

#include <immintrin.h>

namespace holdfast::token {
namespace {

// 16 bytes at a time (SSE2, which every x86-64 has).
struct Lanes16 {
  using Bytes = __m128i;
  static constexpr size_t size = 16;
  static Bytes load(const uint8_t* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
  static Bytes equal(Bytes bytes, char one) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(one)); }
  static Bytes between(Bytes bytes, char first, char count) {
    const Bytes from = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(static_cast<char>(count - 1))), from);
  }
  static Bytes either(Bytes a, Bytes b) { return _mm_or_si128(a, b); }
  static Bytes lower(Bytes bytes) { return _mm_or_si128(bytes, _mm_set1_epi8(0x20)); }
  static uint64_t bits(Bytes lanes) { return static_cast<uint32_t>(_mm_movemask_epi8(lanes)); }
};

AsciiBlock read_by_any(const uint8_t* at) {
  using L = Lanes16;
  AsciiBlock out;
  uint64_t low = 0;
  for (size_t i = 0; i < AsciiBlock::bytes; i += L::size) {
    const L::Bytes bytes = L::load(at + i);
    const L::Bytes blank = L::equal(bytes, ' '),
                   line = L::either(L::equal(bytes, '\n'), L::equal(bytes, '\r'));
    out.letters |= L::bits(L::between(L::lower(bytes), 'a', 26)) << i;
    out.upper |= L::bits(L::between(bytes, 'A', 26)) << i;
    out.digits |= L::bits(L::between(bytes, '0', 10)) << i;
    out.spaces |= L::bits(L::either(blank, L::between(bytes, 9, 5))) << i;
    out.blanks |= L::bits(blank) << i;
    out.lines |= L::bits(line) << i;
    out.quotes |= L::bits(L::equal(bytes, '\'')) << i;
    out.slashes |= L::bits(L::equal(bytes, '/')) << i;
    low |= L::bits(L::either(L::between(bytes, 0, 32), L::equal(bytes, 127))) << i;
    out.wide |= L::bits(bytes) << i;
  }
  out.controls = low & ~out.spaces;
  return out;
}

__attribute__((target("avx2"))) inline __m256i between32(__m256i bytes, char first, char count) {
  const __m256i from = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first));
  return _mm256_cmpeq_epi8(_mm256_min_epu8(from, _mm256_set1_epi8(static_cast<char>(count - 1))), from);
}
__attribute__((target("avx2"))) inline __m256i equal32(__m256i bytes, char one) {
  return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(one));
}
__attribute__((target("avx2"))) inline uint64_t bits32(__m256i lanes) {
  return static_cast<uint32_t>(_mm256_movemask_epi8(lanes));
}

__attribute__((target("avx2"))) AsciiBlock read_by_avx2(const uint8_t* at) {
  AsciiBlock out;
  uint64_t low = 0;
  for (size_t i = 0; i < AsciiBlock::bytes; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + i));
    const __m256i blank = equal32(bytes, ' ');
    const __m256i lower = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
    out.letters |= bits32(between32(lower, 'a', 26)) << i;
    out.upper |= bits32(between32(bytes, 'A', 26)) << i;
    out.digits |= bits32(between32(bytes, '0', 10)) << i;
    out.spaces |= bits32(_mm256_or_si256(blank, between32(bytes, 9, 5))) << i;
    out.blanks |= bits32(blank) << i;
    out.lines |= bits32(_mm256_or_si256(equal32(bytes, '\n'), equal32(bytes, '\r'))) << i;
    out.quotes |= bits32(equal32(bytes, '\'')) << i;
    out.slashes |= bits32(equal32(bytes, '/')) << i;
    low |= bits32(_mm256_or_si256(between32(bytes, 0, 32), equal32(bytes, 127))) << i;
    out.wide |= bits32(bytes) << i;
  }
  out.controls = low & ~out.spaces;
  return out;
}

}  // namespace

ReadAsciiBlock ascii_block_reader(Instructions instructions) {
  return instructions >= Instructions::avx2 ? read_by_avx2 : read_by_any;
}

}  // namespace holdfast::token
