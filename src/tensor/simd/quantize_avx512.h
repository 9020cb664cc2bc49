#pragma once

// Rows of floats as rows of bytes by 512-bit registers: quantize_rows (block_dots.h), operation by operation,
// sixteen numbers at a time. In an unnamed namespace, as the other files of this folder.
#include <immintrin.h>

#include <cstddef>

#include "tensor/block_bytes.h"

namespace holdfast::tensor {
namespace {

struct Quantize512 {
  static constexpr float rounder = 12582912.0F;  // Rounds to a whole number, which is then in the low bits.

  static __m128i low_bytes(__m512 rounded) { return _mm512_cvtepi32_epi8(_mm512_castps_si512(rounded)); }

  // The sum of sixteen signed bytes: as bytes without sign, 128 more each, by sums of differences to zero.
  static int32_t total(__m128i bytes) {
    const __m128i raised = _mm_xor_si128(bytes, _mm_set1_epi8(-128));
    const __m128i halves = _mm_sad_epu8(raised, _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi64(halves, _mm_unpackhi_epi64(halves, halves))) - 16 * 128;
  }

  template <size_t G>
  static void group(const float* in, int32_t fine_steps, const ByteRows& out, int8_t* to, size_t at) {
    constexpr size_t count = G / 16;
    __m512 x[count];
    for (size_t i = 0; i < count; ++i) x[i] = _mm512_loadu_ps(in + i * 16);
    // Positive floats are ordered as their bits are; so is what is not a number, as the twin has it.
    const __m512i positive = _mm512_set1_epi32(0x7FFFFFFF);
    __m512i peaks = _mm512_and_si512(_mm512_castps_si512(x[0]), positive);
    for (size_t i = 1; i < count; ++i)
      peaks = _mm512_max_epi32(peaks, _mm512_and_si512(_mm512_castps_si512(x[i]), positive));
    const float most = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(_mm512_reduce_max_epi32(peaks))));
    const float inverse = most > 0 ? 127.0F / most : 0.0F, scale = most / 127.0F;
    const __m512 by = _mm512_set1_ps(inverse), round = _mm512_set1_ps(rounder);
    const __m512 steps = _mm512_set1_ps(static_cast<float>(fine_steps));
    const bool fine = out.fine;
    int32_t sum = 0, fine_sum = 0;
    for (size_t i = 0; i < count; ++i) {
      const __m512 exact = _mm512_mul_ps(x[i], by), rounded = _mm512_add_ps(exact, round);
      const __m128i codes = low_bytes(rounded);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * 16), codes);
      sum += total(codes);
      if (!fine) continue;
      const __m512 left = _mm512_sub_ps(exact, _mm512_sub_ps(rounded, round));
      const __m128i low = low_bytes(_mm512_add_ps(_mm512_mul_ps(left, steps), round));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + G + i * 16), low);
      fine_sum += total(low);
    }
    if (fine) sum = fine_steps * sum + fine_sum;
    out.scales[at] = fine ? scale / static_cast<float>(fine_steps) : scale;
    out.sums[at] = sum;
    out.scaled_sums[at] = out.scales[at] * static_cast<float>(sum);
  }

  template <size_t G>
  static void rows_by(const QuantizeJob& job) {
    const size_t groups = job.inputs / G;
    for (size_t row = 0; row < job.rows; ++row) {
      const ByteRows& out = job.out;
      int8_t* to = out.codes + out.code_place(job.row + row, job.inputs, G);
      size_t at = out.place(job.row + row, groups);
      for (size_t g = 0; g < groups; ++g, to += out.lanes * out.group_bytes(G), at += out.lanes)
        group<G>(job.in + row * job.in_stride + g * G, job.steps, job.out, to, at);
    }
  }

  static void rows(const QuantizeJob& job) { job.group == 32 ? rows_by<32>(job) : rows_by<16>(job); }
};

}  // namespace
}  // namespace holdfast::tensor
