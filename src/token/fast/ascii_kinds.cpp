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
