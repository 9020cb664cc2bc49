#pragma once

// Softmax's weights by whole numbers of sixteen bits, 32 keys at a time in half the instructions of
// weights_bf16.h: scores become logarithms in steps of 1/128, as far apart as bfloat16 below 2. In an unnamed
// namespace, as the other files of this folder.
#include "tensor/simd/weights_bf16.h"

namespace holdfast::tensor {
namespace {

struct WeightsByTable {
  // 32 words of sixteen bits: 2 to the power of (x / 128 - 127) as bfloat16 of whole numbers x, whose upper
  // bits are the exponent then, and of the lower seven is made what they are the logarithm of. 0 from 0 on.
  static __m512i powers(__m512 left, __m512 right) {
    // What a line is above the curve, by the upper six of the seven bits.
    alignas(64) static constexpr uint8_t above[64] = {
        0,  1,  1,  2,  2,  3,  4,  4,  5,  5,  5,  6,  6,  7,  7,  8,  8,  8,  9,  9,  9,  9,
        10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 10, 10, 10,
        10, 10, 9,  9,  9,  8,  8,  8,  7,  7,  6,  6,  5,  5,  4,  3,  3,  2,  1,  1};
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    const __m512i lanes = _mm512_packs_epi32(_mm512_cvtps_epi32(left), _mm512_cvtps_epi32(right));
    const __m512i line = _mm512_max_epi16(_mm512_permutexvar_epi64(order, lanes), _mm512_setzero_si512());
    const __m512i less = _mm512_maskz_permutexvar_epi8(0x5555555555555555U, _mm512_srli_epi16(line, 1),
                                                       _mm512_load_si512(above));
    return _mm512_sub_epi16(line, less);
  }

  static float peak(const float* scores, size_t keys) {
    __m512 left = _mm512_set1_ps(-std::numeric_limits<float>::infinity()), right = left;
    size_t i = 0;
    for (; i + 32 <= keys; i += 32) {
      left = _mm512_max_ps(left, _mm512_loadu_ps(scores + i));
      right = _mm512_max_ps(right, _mm512_loadu_ps(scores + i + 16));
    }
    if (i < keys) {
      left = _mm512_max_ps(left, Weights512::keys(scores, i, keys));
      right = _mm512_max_ps(right, Weights512::keys(scores, i + 16, keys));
    }
    return _mm512_reduce_max_ps(_mm512_max_ps(left, right));
  }

  // The weights of a row whose greatest score is `peak`, zeros up to `wide`, and what they add up to.
  static float row(const float* scores, size_t keys, float scale, float peak, uint32_t* words, size_t wide) {
    const float to_power = scale * 1.44269504088896341F * 128;
    const __m512 factor = _mm512_set1_ps(to_power), less = _mm512_set1_ps(127 * 128 - peak * to_power);
    const __m512bh ones = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3F80));
    auto* out = reinterpret_cast<uint16_t*>(words);
    __m512 sum = _mm512_setzero_ps();
    const auto put = [&](__m512 a, __m512 b, size_t at) {
      const __m512i bits = powers(_mm512_fmadd_ps(a, factor, less), _mm512_fmadd_ps(b, factor, less));
      sum = _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(bits), ones);
      _mm512_storeu_si512(out + at, bits);
    };
    size_t i = 0;
    for (; i + 32 <= keys; i += 32) put(_mm512_loadu_ps(scores + i), _mm512_loadu_ps(scores + i + 16), i);
    for (; i < wide; i += 32)
      put(Weights512::keys(scores, i, keys), Weights512::keys(scores, i + 16, keys), i);
    return F32x16Avx512{sum}.sum();
  }

  // What a score without a value adds to that.
  static float of_sink(float sink, float scale, float peak) {
    return _mm512_cvtss_f32(Weights512::power(_mm512_set1_ps((sink - peak * scale) * 1.44269504088896341F)));
  }

  static void weigh(const WeighJob& job) {
    for (size_t i = 0; i < job.rows; ++i) {
      const float* scores = job.scores + i * job.stride;
      float most = peak(scores, job.keys);
      if (job.sink != nullptr) most = std::max(most, *job.sink / job.scale);
      job.totals[i] = row(scores, job.keys, job.scale, most, job.words + i * job.row_words, 2 * job.steps);
      if (job.sink != nullptr) job.totals[i] += of_sink(*job.sink, job.scale, most);
    }
  }
};

}  // namespace
}  // namespace holdfast::tensor
