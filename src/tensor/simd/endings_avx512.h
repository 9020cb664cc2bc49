#pragma once

// What becomes of the sums of most products, a row of 32 columns at a time: the bits of ProductRows, in fewer
// instructions. In an unnamed namespace, as the other files of this folder.
#include "tensor/simd/f32x16_bf16.h"
#include "tensor/simd/product_rows.h"

namespace holdfast::tensor {
namespace {

enum class EndingKind { as_it_is, gelu };

template <EndingKind kind, class V>
V ended(V x) {
  if constexpr (kind == EndingKind::gelu)
    return RowKernels<V>::near_gelu(x);
  else
    return x;
}

// Two by two bfloat16: what the next product reads.
template <EndingKind kind>
class PairsEnding {
 public:
  static bool fits(const FinishJob& job) {
    return job.words != nullptr && !job.gated && job.columns % (2 * strip_columns) == 0 &&
           job.word_from % 2 == 0 &&
           job.activation == (kind == EndingKind::gelu ? Activation::gelu : Activation::none);
  }
  void begin(const FinishJob& job) {
    sums_ = static_cast<const float*>(job.sums);
    bias_ = job.bias;
    out_ = reinterpret_cast<uint16_t*>(job.words) + job.word_from;
    stride_ = 2 * job.row_words;
  }
  void row() {
    using V = F32x16Avx512;
    const V left = ended<kind>(V::load(sums_) + V::load(bias_)),
            right = ended<kind>(V::load(sums_ + 16) + V::load(bias_ + 16));
    _mm512_storeu_si512(out_, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(right.v, left.v)));
    sums_ += 2 * strip_columns;
    out_ += stride_;
  }

 private:
  const float *sums_ = nullptr, *bias_ = nullptr;
  uint16_t* out_ = nullptr;
  size_t stride_ = 0;
};

// Floats, with what is added to them.
class FloatsEnding {
 public:
  static bool fits(const FinishJob& job) {
    return job.words == nullptr && !job.gated && job.columns % (2 * strip_columns) == 0 &&
           job.activation == Activation::none;
  }
  void begin(const FinishJob& job) {
    sums_ = static_cast<const float*>(job.sums);
    bias_ = job.bias;
    out_ = job.out;
    addend_ = job.addend;
    stride_ = job.out_stride;
  }
  void row() {
    using V = F32x16Avx512;
    V left = V::load(sums_) + V::load(bias_), right = V::load(sums_ + 16) + V::load(bias_ + 16);
    if (addend_ != nullptr) {
      left = left + V::load(addend_);
      right = right + V::load(addend_ + 16);
      addend_ += stride_;
    }
    left.store(out_);
    right.store(out_ + 16);
    sums_ += 2 * strip_columns;
    out_ += stride_;
  }

 private:
  const float *sums_ = nullptr, *bias_ = nullptr, *addend_ = nullptr;
  float* out_ = nullptr;
  size_t stride_ = 0;
};

// Whole numbers into floats or bfloat16.
template <EndingKind kind>
class BytesEnding {
 public:
  static bool fits(const FinishJob& job) {
    return !job.gated && job.columns % (2 * strip_columns) == 0 &&
           job.activation == (kind == EndingKind::gelu ? Activation::gelu : Activation::none);
  }
  void begin(const FinishJob& job) {
    job_ = job;
    sums_ = static_cast<const int32_t*>(job.sums);
  }
  void row() {
    V left = ended<kind>(value(0)), right = ended<kind>(value(strip_columns));
    if (job_.words != nullptr) {
      _mm512_storeu_si512(reinterpret_cast<uint16_t*>(job_.words) + job_.word_from,
                          reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(right.v, left.v)));
      job_.words += job_.row_words;
    } else {
      if (job_.addend != nullptr) {
        left = left + V::load(job_.addend);
        right = right + V::load(job_.addend + strip_columns);
        job_.addend += job_.out_stride;
      }
      left.store(job_.out);
      right.store(job_.out + strip_columns);
      job_.out += job_.out_stride;
    }
    sums_ += 2 * strip_columns;
    ++job_.row_zeros;
    ++job_.row_scales;
    if (job_.apart.rows != nullptr) job_.apart.rows += job_.apart.row_words;
  }

 private:
  using V = F32x16Avx512;
  V value(size_t at) const {
    V out = V::centred(sums_ + at, *job_.row_zeros, job_.weight_sums + at) * V::all(*job_.row_scales) *
            V::load(job_.column_scales + at);
    out = out + V::load(job_.bias + at);
    if (job_.apart.rows != nullptr) out = out + ProductRows<V>::apart_sum(job_.apart, 0, at);
    return out;
  }

  FinishJob job_;
  const int32_t* sums_ = nullptr;
};

}  // namespace
}  // namespace holdfast::tensor
