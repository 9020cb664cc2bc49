#pragma once

// What becomes of the sums of most products, a row of 32 columns at a time: the bits of ProductRows, in fewer
// instructions. In an unnamed namespace, as the other files of this folder.
#include "tensor/simd/f32x16_bf16.h"
#include "tensor/simd/product_rows.h"

namespace holdfast::tensor {
namespace {

enum class EndingKind { as_it_is, gelu };

template <EndingKind kind, GeluKind gelu>
F32x16Avx512 ended(F32x16Avx512 x) {
  if constexpr (kind == EndingKind::gelu)
    return ProductRows<F32x16Avx512>::gelu<gelu>(x);
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
    const V left = ended<kind, GeluKind::near>(V::load(sums_) + V::load(bias_)),
            right = ended<kind, GeluKind::near>(V::load(sums_ + 16) + V::load(bias_ + 16));
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
    sums_ = static_cast<const int32_t*>(job.sums);
    shifts_ = job.row_shifts;
    row_scales_ = job.row_scales;
    out_ = job.out;
    addend_ = job.addend;
    halves_ = job.words == nullptr ? nullptr : reinterpret_cast<uint16_t*>(job.words) + job.word_from;
    stride_ = job.words == nullptr ? job.out_stride : 2 * job.row_words;
    for (size_t i = 0; i < 2; ++i) {
      scales_[i] = V::load(job.column_scales + i * strip_columns);
      weights_[i] = V::load(job.weight_sums + i * strip_columns);
      bias_[i] = V::load(job.bias + i * strip_columns);
    }
  }
  void row() {
    const V scale = V::all(*row_scales_), shift = V::all(*shifts_);
    const auto scaled = [&](size_t i) -> V {
      return V::fma(V::of_whole(sums_ + i * strip_columns), scale * scales_[i],
                    V::fma(shift, weights_[i], bias_[i]));
    };
    V left = ended<kind, GeluKind::coarse>(scaled(0)), right = ended<kind, GeluKind::coarse>(scaled(1));
    if (halves_ != nullptr) {
      _mm512_storeu_si512(halves_, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(right.v, left.v)));
      halves_ += stride_;
    } else {
      if (addend_ != nullptr) {
        left = left + V::load(addend_);
        right = right + V::load(addend_ + strip_columns);
        addend_ += stride_;
      }
      left.store(out_);
      right.store(out_ + strip_columns);
      out_ += stride_;
    }
    sums_ += 2 * strip_columns;
    ++shifts_;
    ++row_scales_;
  }

 private:
  using V = F32x16Avx512;
  const int32_t* sums_ = nullptr;
  const float *shifts_ = nullptr, *row_scales_ = nullptr, *addend_ = nullptr;
  float* out_ = nullptr;
  uint16_t* halves_ = nullptr;
  size_t stride_ = 0;
  V scales_[2], weights_[2], bias_[2];
};

}  // namespace
}  // namespace holdfast::tensor
