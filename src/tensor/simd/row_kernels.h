#pragma once

// Kernels over rows, written once for a type V of sixteen floats (f32x16_*.h). Reductions keep sixteen
// running sums and add them in a fixed order, so that a row's result depends on its own numbers and length
// only. In an unnamed namespace: each including file is compiled for its own instruction set and must keep
// its own copy.
#include <cmath>
#include <cstddef>
#include <limits>

#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

template <class V>
struct RowKernels {
  // exp(x) for x <= 88, relative error under 2e-7; 0 < exp(x) <= 2e-38 below -87. The polynomial is the one
  // of Cephes expf.
  static V exp(V x) {
    x = V::max(V::min(x, V::all(88.0F)), V::all(-87.0F));
    const V n = (x * V::all(1.44269504088896341F)).round();
    V r = V::fma(n, V::all(-0.693359375F), x);
    r = V::fma(n, V::all(2.12194440e-4F), r);
    V p = V::all(1.9875691500e-4F);
    p = V::fma(p, r, V::all(1.3981999507e-3F));
    p = V::fma(p, r, V::all(8.3334519073e-3F));
    p = V::fma(p, r, V::all(4.1665795894e-2F));
    p = V::fma(p, r, V::all(1.6666665459e-1F));
    p = V::fma(p, r, V::all(5.0000001201e-1F));
    p = V::fma(p, r * r, r) + V::all(1.0F);
    return p.times_exp2(n);
  }

  // 2 to the power of x <= 0, relative error under 2e-7; 0 below -126. The polynomial is a minimax fit on
  // [-0.5, 0.5].
  static V exp2(V x) {
    const V near = V::max(x, V::all(-126.0F));
    const V n = near.round();
    const V f = near - n;
    V p = V::all(1.326472615e-03F);
    p = V::fma(p, f, V::all(9.671512991e-03F));
    p = V::fma(p, f, V::all(5.550733581e-02F));
    p = V::fma(p, f, V::all(2.402224243e-01F));
    p = V::fma(p, f, V::all(6.931470037e-01F));
    p = V::fma(p, f, V::all(1.0F));
    return p.times_exp2(n).keep_where_at_least(x, -126.0F);
  }

  // The same with relative error under 5e-6, for weights that are rounded to bfloat16 next.
  static V near_exp2(V x) {
    const V near = V::max(x, V::all(-126.0F));
    const V n = near.round();
    const V f = near - n;
    V p = V::all(9.570101699e-03F);
    p = V::fma(p, f, V::all(5.591786030e-02F));
    p = V::fma(p, f, V::all(2.402474483e-01F));
    p = V::fma(p, f, V::all(6.931218147e-01F));
    p = V::fma(p, f, V::all(9.999992614e-01F));
    return p.times_exp2(n).keep_where_at_least(x, -126.0F);
  }

  // erf(x), absolute error under 3e-7: the rational approximation of degree 13 over 8 that Eigen uses; |x| >
  // 4 is 4, where erf is 1 in this precision.
  static V erf(V x) {
    x = V::max(V::min(x, V::all(4.0F)), V::all(-4.0F));
    const V s = x * x;
    V p = V::all(-2.72614225801306e-10F);
    p = V::fma(p, s, V::all(2.77068142495902e-08F));
    p = V::fma(p, s, V::all(-2.10102402082508e-06F));
    p = V::fma(p, s, V::all(-5.69250639462346e-05F));
    p = V::fma(p, s, V::all(-7.34990630326855e-04F));
    p = V::fma(p, s, V::all(-2.95459980854025e-03F));
    p = V::fma(p, s, V::all(-1.60960333262415e-02F));
    V q = V::all(-1.45660718464996e-05F);
    q = V::fma(q, s, V::all(-2.13374055278905e-04F));
    q = V::fma(q, s, V::all(-1.68282697438203e-03F));
    q = V::fma(q, s, V::all(-7.37332916720468e-03F));
    q = V::fma(q, s, V::all(-1.42647390514189e-02F));
    return x * p / q;
  }

  static V gelu_of(V x) {
    const V half = x * V::all(0.5F);
    return V::fma(half, erf(x * V::all(0.70710678118654752F)), half);
  }

  // gelu(x), absolute error under 7e-5 and none from 4.25 on (0 below -4.25): x (1/2 + x p(x x)) with p a
  // minimax fit of that error that makes the two ends meet.
  static V near_gelu(V x) {
    const V near = V::max(V::min(x, V::all(4.25F)), V::all(-4.25F));
    const V s = near * near;
    V p = V::all(6.766321530848884e-11F);
    p = V::fma(p, s, V::all(-6.336669411410867e-09F));
    p = V::fma(p, s, V::all(2.609635600947513e-07F));
    p = V::fma(p, s, V::all(-6.299539109022589e-06F));
    p = V::fma(p, s, V::all(0.0001009026964311488F));
    p = V::fma(p, s, V::all(-0.0011576020624488592F));
    p = V::fma(p, s, V::all(0.009996527805924416F));
    p = V::fma(p, s, V::all(-0.06667327880859375F));
    p = V::fma(p, s, V::all(0.3991144299507141F));
    return x * V::fma(near, p, V::all(0.5F));
  }

  // gelu(x), absolute error under 2.5e-3, for numbers that become bytes next: the positive part less t q(t)
  // where t is |x|, at most 3, and q(0) is 1/2, so that small numbers keep their digits; a minimax fit.
  static V coarse_gelu(V x) {
    const V t = V::least_magnitude(x, V::all(3.0F));
    V q = V::all(-0.00478579F);
    q = V::fma(q, t, V::all(0.01445836F));
    q = V::fma(q, t, V::all(0.09131534F));
    q = V::fma(q, t, V::all(-0.44134167F));
    q = V::fma(q, t, V::all(0.5F));
    return V::max(x, V::all(0.0F)) - t * q;
  }

  // For each full sixteen, then for the rest: change(V) -> V.
  template <class Change>
  static void map(const float* in, float* out, size_t count, Change change) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) change(V::load(in + i), i).store(out + i);
    if (i < count) change(V::load_first(in + i, count - i, 0.0F), i).store_first(out + i, count - i);
  }

  // Some rows beside each other, as sums in one order leave the units waiting.
  template <size_t count>
  static void layer_norm_rows(const LayerNormJob& job, size_t first, size_t in_stride, size_t out_stride) {
    const size_t width = job.width, whole = width / 16 * 16, rest = width - whole;
    const auto numbers = static_cast<float>(width);
    const float* in[count];
    V sums[count], mean[count], scale[count];
#pragma GCC unroll 4
    for (size_t r = 0; r < count; ++r) {
      in[r] = job.in + (first + r) * in_stride;
      sums[r] = V::all(0);
    }
    for (size_t i = 0; i < whole; i += 16)
#pragma GCC unroll 4
      for (size_t r = 0; r < count; ++r) sums[r] = sums[r] + V::load(in[r] + i);
#pragma GCC unroll 4
    for (size_t r = 0; r < count; ++r) {
      if (rest > 0) sums[r] = sums[r] + V::load_first(in[r] + whole, rest, 0);
      mean[r] = V::all(sums[r].sum() / numbers);
      sums[r] = V::all(0);
    }
    for (size_t i = 0; i < whole; i += 16)
#pragma GCC unroll 4
      for (size_t r = 0; r < count; ++r) {
        const V d = V::load(in[r] + i) - mean[r];
        sums[r] = V::fma(d, d, sums[r]);
      }
#pragma GCC unroll 4
    for (size_t r = 0; r < count; ++r) {
      if (rest > 0) {
        const V d = (V::load_first(in[r] + whole, rest, 0) - mean[r]).keep_first(rest);
        sums[r] = V::fma(d, d, sums[r]);
      }
      scale[r] = V::all(1.0F / __builtin_sqrtf(sums[r].sum() / numbers + job.epsilon));
    }
    for (size_t r = 0; r < count; ++r) {
      float* out = job.out + (first + r) * out_stride;
      for (size_t i = 0; i < whole; i += 16)
        V::fma((V::load(in[r] + i) - mean[r]) * scale[r], V::load(job.gamma + i), V::load(job.beta + i))
            .store(out + i);
      if (rest == 0) continue;
      const V normal = (V::load_first(in[r] + whole, rest, 0) - mean[r]) * scale[r];
      V::fma(normal, V::load_first(job.gamma + whole, rest, 0), V::load_first(job.beta + whole, rest, 0))
          .store_first(out + whole, rest);
    }
  }

  static void layer_norm(const LayerNormJob& job) {
    const size_t in_stride = job.in_stride != 0 ? job.in_stride : job.width,
                 out_stride = job.out_stride != 0 ? job.out_stride : job.width;
    size_t row = 0;
    for (; row + 4 <= job.rows; row += 4) layer_norm_rows<4>(job, row, in_stride, out_stride);
    for (; row < job.rows; ++row) layer_norm_rows<1>(job, row, in_stride, out_stride);
  }

  static void rms_norm_row(const LayerNormJob& job, const float* in, float* out) {
    const size_t width = job.width, whole = width / 16 * 16, rest = width - whole;
    V squares = V::all(0);
    for (size_t i = 0; i < whole; i += 16) squares = V::fma(V::load(in + i), V::load(in + i), squares);
    if (rest > 0) {
      const V x = V::load_first(in + whole, rest, 0);
      squares = V::fma(x, x, squares);
    }
    const V scale = V::all(1.0F / __builtin_sqrtf(squares.sum() / static_cast<float>(width) + job.epsilon));
    for (size_t i = 0; i < whole; i += 16) (V::load(in + i) * scale * V::load(job.gamma + i)).store(out + i);
    if (rest > 0)
      (V::load_first(in + whole, rest, 0) * scale * V::load_first(job.gamma + whole, rest, 0))
          .store_first(out + whole, rest);
  }

  static void rms_norm(const LayerNormJob& job) {
    const size_t in_stride = job.in_stride != 0 ? job.in_stride : job.width,
                 out_stride = job.out_stride != 0 ? job.out_stride : job.width;
    for (size_t row = 0; row < job.rows; ++row)
      rms_norm_row(job, job.in + row * in_stride, job.out + row * out_stride);
  }

  static void softmax_row(float* x, size_t width, float scale) {
    constexpr float lowest = -std::numeric_limits<float>::infinity();
    const size_t whole = width / 16 * 16, rest = width - whole;
    V peaks = V::all(lowest);
    for (size_t i = 0; i < whole; i += 16) peaks = V::max(peaks, V::load(x + i));
    if (rest > 0) peaks = V::max(peaks, V::load_first(x + whole, rest, lowest));
    const V peak = V::all(peaks.peak()), factor = V::all(scale);

    V sums = V::all(0);
    for (size_t i = 0; i < whole; i += 16) {
      const V e = exp((V::load(x + i) - peak) * factor);
      e.store(x + i);
      sums = sums + e;
    }
    if (rest > 0) {
      const V e = exp((V::load_first(x + whole, rest, 0) - peak) * factor).keep_first(rest);
      e.store_first(x + whole, rest);
      sums = sums + e;
    }
    const V share = V::all(1.0F / sums.sum());
    map(x, x, width, [share](V v, size_t) { return v * share; });
  }

  static void softmax(const SoftmaxJob& job) {
    if (job.width == 0) return;
    for (size_t row = 0; row < job.rows; ++row)
      softmax_row(job.data + row * job.stride, job.width, job.scale);
  }

  static void gelu(float* data, size_t count) {
    map(data, data, count, [](V v, size_t) { return gelu_of(v); });
  }

  static void add(float* into, const float* more, size_t count) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) (V::load(into + i) + V::load(more + i)).store(into + i);
    if (i < count)
      (V::load_first(into + i, count - i, 0) + V::load_first(more + i, count - i, 0))
          .store_first(into + i, count - i);
  }
};

}  // namespace
}  // namespace holdfast::tensor
