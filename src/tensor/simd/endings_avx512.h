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

// Whole numbers into floats or bfloat16; apart: inputs met as floats.
template <EndingKind kind, size_t apart>
class BytesEnding {
 public:
  static bool fits(const FinishJob& job) {
    return !job.gated && job.columns % (2 * strip_columns) == 0 &&
           job.activation == (kind == EndingKind::gelu ? Activation::gelu : Activation::none) &&
           (job.apart.rows == nullptr ? 0 : job.apart.count) == apart;
  }
  void begin(const FinishJob& job) {
    sums_ = static_cast<const int32_t*>(job.sums);
    zeros_ = job.row_zeros;
    row_scales_ = job.row_scales;
    column_scales_ = job.column_scales;
    bias_ = job.bias;
    inputs_ = job.apart.rows;
    inputs_stride_ = job.apart.row_words;
    apart_ = job.apart.strips;
    out_ = job.out;
    addend_ = job.addend;
    halves_ = job.words == nullptr ? nullptr : reinterpret_cast<uint16_t*>(job.words) + job.word_from;
    stride_ = job.words == nullptr ? job.out_stride : 2 * job.row_words;
    for (size_t i = 0; i < 2; ++i) {
      // -weights = 128 * high + low, in the halves of words.
      const __m512i less =
          _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_loadu_si512(job.weight_sums + i * strip_columns));
      const __m512i low = _mm512_and_si512(less, _mm512_set1_epi32(127)), high = _mm512_srai_epi32(less, 7);
      weights_[i] = _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
    }
  }
  void row() {
    // As V::centred: both halves of the sum of weights in one instruction, with the zero and 128 times it.
    const __m512i zeros = _mm512_set1_epi32(static_cast<int32_t>(static_cast<uint32_t>(*zeros_) * 0x800001U));
    const V scale = V::all(*row_scales_);
    const auto scaled = [&](size_t i) -> V {
      const __m512i whole =
          _mm512_dpwssd_epi32(_mm512_loadu_si512(sums_ + i * strip_columns), weights_[i], zeros);
      return V{_mm512_cvtepi32_ps(whole)} * scale * V::load(column_scales_ + i * strip_columns) +
             V::load(bias_ + i * strip_columns);
    };
    V left = scaled(0), right = scaled(1);
    if constexpr (apart > 0) {
      V more_left = V::all(0), more_right = V::all(0);
#pragma GCC unroll 8
      for (size_t i = 0; i < apart; ++i) {
        const V input = V::all(inputs_[i]);
        more_left = V::fma(input, V::load(apart_ + i * strip_columns), more_left);
        more_right = V::fma(input, V::load(apart_ + (apart + i) * strip_columns), more_right);
      }
      left = left + more_left;
      right = right + more_right;
      inputs_ += inputs_stride_;
    }
    left = ended<kind>(left);
    right = ended<kind>(right);
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
    ++zeros_;
    ++row_scales_;
  }

 private:
  using V = F32x16Avx512;
  const int32_t *sums_ = nullptr, *zeros_ = nullptr;
  const float *row_scales_ = nullptr, *column_scales_ = nullptr, *bias_ = nullptr, *inputs_ = nullptr,
              *apart_ = nullptr, *addend_ = nullptr;
  float* out_ = nullptr;
  uint16_t* halves_ = nullptr;
  size_t inputs_stride_ = 0, stride_ = 0;
  __m512i weights_[2];
};

}  // namespace
}  // namespace holdfast::tensor
