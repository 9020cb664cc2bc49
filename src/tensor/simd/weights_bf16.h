#pragma once

// Softmax's weights where words are pairs of bfloat16: 32 keys at a time, in as few instructions as what is
// rounded to eight bits next deserves. In an unnamed namespace, as the other files of this folder.
#include <immintrin.h>

#include <algorithm>
#include <limits>

#include "tensor/products.h"
#include "tensor/simd/f32x16_avx512.h"

namespace holdfast::tensor {
namespace {

struct Weights512 {
  // 2 to the power of x <= 0, relative error under 9e-5, none at 0; 0 from -150 on, also for minus infinity.
  // The power of what is over a whole number is a minimax fit, the rest goes to the exponent.
  static __m512 power(__m512 x) {
    const __m512 over = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512 p = _mm512_set1_ps(0.0770671975F);
    p = _mm512_fmadd_ps(p, over, _mm512_set1_ps(0.227644822F));
    p = _mm512_fmadd_ps(p, over, _mm512_set1_ps(0.695116825F));
    p = _mm512_fmadd_ps(p, over, _mm512_set1_ps(1.0F));
    return _mm512_scalef_ps(p, x);
  }

  static __m512 keys(const float* scores, size_t from, size_t count) {
    if (from + 16 <= count) return _mm512_loadu_ps(scores + from);
    const __m512 none = _mm512_set1_ps(-std::numeric_limits<float>::infinity());
    if (from >= count) return none;
    return _mm512_mask_loadu_ps(none, F32x16Avx512::first(count - from), scores + from);
  }

  static void weigh(const WeighJob& job) {
    const float to_power = job.scale * 1.44269504088896341F;
    for (size_t row = 0; row < job.rows; ++row) {
      const float* scores = job.scores + row * job.stride;
      __m512 left = _mm512_set1_ps(-std::numeric_limits<float>::infinity()), right = left;
      for (size_t i = 0; i < job.keys; i += 32) {
        left = _mm512_max_ps(left, keys(scores, i, job.keys));
        right = _mm512_max_ps(right, keys(scores, i + 16, job.keys));
      }
      float peak = _mm512_reduce_max_ps(_mm512_max_ps(left, right));
      if (job.sink != nullptr) peak = std::max(peak, *job.sink / job.scale);
      const __m512 factor = _mm512_set1_ps(to_power), less = _mm512_set1_ps(-peak * to_power);
      auto* out = reinterpret_cast<uint16_t*>(job.words + row * job.row_words);
      left = right = _mm512_setzero_ps();
      for (size_t i = 0; i < 2 * job.steps; i += 32) {
        const __m512 a = power(_mm512_fmadd_ps(keys(scores, i, job.keys), factor, less)),
                     b = power(_mm512_fmadd_ps(keys(scores, i + 16, job.keys), factor, less));
        left = _mm512_add_ps(left, a);
        right = _mm512_add_ps(right, b);
        _mm512_storeu_si512(out + i, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
      }
      job.totals[row] = F32x16Avx512{_mm512_add_ps(left, right)}.sum();
      if (job.sink != nullptr)
        job.totals[row] +=
            _mm512_cvtss_f32(power(_mm512_set1_ps(*job.sink * 1.44269504088896341F - peak * to_power)));
    }
  }
};

}  // namespace
}  // namespace holdfast::tensor
