#pragma once

// What surrounds the sums of a product, written once for a type V of sixteen floats (f32x16_*.h): rows made
// ready before, bias, activation, gate and addend after. In an unnamed namespace, as row_kernels.h is.
#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "tensor/products.h"
#include "tensor/simd/row_kernels.h"

namespace holdfast::tensor {
namespace {

// near: good enough for what is rounded to bfloat16 next; coarse: to a byte.
enum class GeluKind { exact, near, coarse };

template <class V>
struct ProductRows {
  using Rows = RowKernels<V>;

  // Absolute error of sigmoid and tanh under 2e-7.
  static V sigmoid(V x) { return V::all(1.0F) / (V::all(1.0F) + Rows::exp(V::all(0.0F) - x)); }
  static V tanh(V x) { return V::all(1.0F) - V::all(2.0F) / (Rows::exp(x + x) + V::all(1.0F)); }

  static V activated(Activation activation, V x) {
    switch (activation) {
      case Activation::none:
        return x;
      case Activation::relu:
        return V::max(x, V::all(0.0F));
      case Activation::relu_squared: {
        const V positive = V::max(x, V::all(0.0F));
        return positive * positive;
      }
      case Activation::gelu:
        return Rows::gelu_of(x);
      case Activation::gelu_tanh: {  // (1 + tanh t) / 2 is sigmoid(2 t)
        const V cube = x * x * x;
        return x * sigmoid(V::fma(cube, V::all(0.044715F), x) * V::all(1.59576912160573072F));
      }
      case Activation::gelu_quick:
        return x * sigmoid(x * V::all(1.702F));
      case Activation::silu:
        return x * sigmoid(x);
      case Activation::sigmoid:
        return sigmoid(x);
      case Activation::tanh:
        return tanh(x);
      case Activation::mish: {  // With n = e^x (e^x + 2): tanh(log(1 + e^x)) = n / (n + 2)
        const V power = Rows::exp(V::min(x, V::all(20.0F)));
        const V n = power * (power + V::all(2.0F));
        return x * (n / (n + V::all(2.0F)));
      }
      case Activation::relu_six:
        return V::min(V::max(x, V::all(0.0F)), V::all(6.0F));
      case Activation::leaky_relu:
        return V::max(x, x * V::all(0.01F));
      case Activation::gelu_ten:
        return V::min(V::max(Rows::gelu_of(x), V::all(-10.0F)), V::all(10.0F));
      case Activation::laplace: {
        const V part = Rows::erf((x - V::all(0.707107F)) * V::all(2.506626424F));
        return V::fma(part, V::all(0.5F), V::all(0.5F));
      }
    }
    return x;
  }

  static void activate(Activation activation, float* data, size_t count) {
    Rows::map(data, data, count, [activation](V v, size_t) { return activated(activation, v); });
  }

  // Sums of columns [at, at + 16) as floats, bias added.
  template <class Number>
  static V sum_of(const FinishJob& job, size_t row, size_t at) {
    const Number* sums = static_cast<const Number*>(job.sums) + row * job.sums_stride + at;
    if constexpr (std::is_same_v<Number, float>)
      return V::load(sums) + V::load(job.bias + at);
    else
      return V::fma(
          V::of_whole(sums), V::all(job.row_scales[row]) * V::load(job.column_scales + at),
          V::fma(V::all(job.row_shifts[row]), V::load(job.weight_sums + at), V::load(job.bias + at)));
  }

  // put(value, row, at): what becomes of columns [at, at + 16). By value, as stores could change what a
  // reference reads.
  template <class Number, class Change, class Put>
  static void finish_with(const FinishJob job, Change change, Put put) {
    if (job.gated) {
      for (size_t row = 0; row < job.rows; ++row)
        for (size_t at = 0; at < job.columns; at += 16)
          put(change(sum_of<Number>(job, row, 2 * at)) * sum_of<Number>(job, row, 2 * at + 16), row, at);
      return;
    }
    for (size_t row = 0; row < job.rows; ++row)
      for (size_t at = 0; at < job.columns; at += 16) put(change(sum_of<Number>(job, row, at)), row, at);
  }

  template <GeluKind kind>
  static V gelu(V x) {
    if constexpr (kind == GeluKind::exact) return Rows::gelu_of(x);
    if constexpr (kind == GeluKind::near) return Rows::near_gelu(x);
    return Rows::coarse_gelu(x);
  }

  // The activations that most products have get loops of their own.
  template <class Number, GeluKind kind, class Put>
  static void finish_to(const FinishJob& job, Put put) {
    const Activation activation = job.activation;
    if (activation == Activation::none) return finish_with<Number>(job, [](V x) -> V { return x; }, put);
    if (activation == Activation::gelu)
      return finish_with<Number>(job, [](V x) -> V { return gelu<kind>(x); }, put);
    if (activation == Activation::silu)
      return finish_with<Number>(job, [](V x) -> V { return x * sigmoid(x); }, put);
    finish_with<Number>(job, [activation](V x) -> V { return activated(activation, x); }, put);
  }

  template <class Number, GeluKind kind>
  static void finish_as(const FinishJob& job) {
    finish_to<Number, kind>(job, [job](V value, size_t row, size_t at) {
      float* out = job.out + row * job.out_stride + at;
      const float* addend = job.addend == nullptr ? nullptr : job.addend + row * job.out_stride + at;
      const size_t left = job.columns - at;
      if (left >= 16) {
        if (addend != nullptr) value = value + V::load(addend);
        value.store(out);
      } else {
        if (addend != nullptr) value = value + V::load_first(addend, left, 0);
        value.store_first(out, left);
      }
    });
  }

  // The words of bf16: halves of words where the instruction set reads pairs, floats elsewhere.
  static uint16_t* halves(const auto& job, size_t row, size_t at) {
    return reinterpret_cast<uint16_t*>(job.words + row * job.row_words) + job.word_from + at;
  }
  static float* wide(const auto& job, size_t row, size_t at) {
    return reinterpret_cast<float*>(job.words + row * job.row_words) + job.word_from + at;
  }

  static void finish_floats(const FinishJob& job) { finish_as<float, GeluKind::exact>(job); }
  static void finish_bytes(const FinishJob& job) {
    if (job.words == nullptr) return finish_as<int32_t, GeluKind::coarse>(job);
    finish_to<int32_t, GeluKind::coarse>(
        job, [job](V value, size_t row, size_t at) { value.store_as_bf16(halves(job, row, at)); });
  }
  static void finish_pairs(const FinishJob& job) {
    if (job.words == nullptr) return finish_as<float, GeluKind::near>(job);
    finish_to<float, GeluKind::near>(
        job, [job](V value, size_t row, size_t at) { value.store_as_bf16(halves(job, row, at)); });
  }
  static void finish_wide_pairs(const FinishJob& job) {
    if (job.words == nullptr) return finish_as<float, GeluKind::near>(job);
    finish_to<float, GeluKind::near>(
        job, [job](V value, size_t row, size_t at) { value.rounded_bf16().store(wide(job, row, at)); });
  }

  // change(V) stored as sixteen numbers of `To` by `put`; zeros up to `wide` numbers.
  template <class To, class Put>
  static void row_to(const float* in, size_t count, To* out, size_t wide, Put put) {
    size_t i = 0;
    for (; i + 16 <= count; i += 16) put(V::load(in + i), out + i);
    if (i < count) {
      To last[16];
      put(V::load_first(in + i, count - i, 0), last);
      std::memcpy(out + i, last, (count - i) * sizeof(To));
    }
    std::fill(out + count, out + wide, To{});
  }

  static void prepare_floats(const PrepareJob& job) {
    for (size_t row = 0; row < job.rows; ++row) {
      uint32_t* out = job.out + row * job.row_words;
      std::memcpy(out, job.in + row * job.in_stride, job.k * sizeof(float));
      std::fill(out + job.k, out + job.steps, 0U);
    }
  }

  static void prepare_bf16(const PrepareJob& job) {
    for (size_t row = 0; row < job.rows; ++row)
      row_to(job.in + row * job.in_stride, job.k, reinterpret_cast<uint16_t*>(job.out + row * job.row_words),
             2 * job.steps, [](V v, uint16_t* to) { v.store_as_bf16(to); });
  }

  // Floats that bfloat16 can hold.
  static void prepare_wide_bf16(const PrepareJob& job) {
    for (size_t row = 0; row < job.rows; ++row)
      row_to(job.in + row * job.in_stride, job.k, reinterpret_cast<float*>(job.out + row * job.row_words),
             2 * job.steps, [](V v, float* to) { v.rounded_bf16().store(to); });
  }

  template <bool with_factors>
  static V input(const PrepareJob& job, const float* in, size_t i) {
    const V x = V::load(in + i);
    return with_factors ? V(x * V::load(job.factors + i)) : x;
  }
  template <bool with_factors>
  static V last_inputs(const PrepareJob& job, const float* in, size_t i) {
    const V x = V::load_first(in + i, job.k - i, 0);
    return with_factors ? V(x * V::load_first(job.factors + i, job.k - i, 0)) : x;
  }

  // A row's own scale and zero: its least number (or 0) is byte 0, its greatest (or 0) byte 255.
  struct ByteRange {
    float inverse = 0, byte_of_zero = 0;
  };
  template <bool with_factors>
  static ByteRange byte_range(const PrepareJob& job, size_t row) {
    const float* in = job.in + row * job.in_stride;
    V low[2] = {V::all(0), V::all(0)}, high[2] = {V::all(0), V::all(0)};
    const auto widen = [&](V x, size_t which) {  // What is no number is passed over.
      low[which] = V::min(x, low[which]);
      high[which] = V::max(x, high[which]);
    };
    size_t i = 0;
    for (; i + 32 <= job.k; i += 32) {
      widen(input<with_factors>(job, in, i), 0);
      widen(input<with_factors>(job, in, i + 16), 1);
    }
    for (; i + 16 <= job.k; i += 16) widen(input<with_factors>(job, in, i), 0);
    if (i < job.k) widen(last_inputs<with_factors>(job, in, i), 1);
    const float least = V::min(low[0], low[1]).least(), range = V::max(high[0], high[1]).peak() - least;
    const float inverse = range > 1e-30F ? 255.0F / range : 0.0F,
                byte_of_zero = __builtin_nearbyintf(-least * inverse);
    job.scales[row] = range / 255.0F;
    job.shifts[row] = -byte_of_zero * job.scales[row];
    return {inverse, byte_of_zero};
  }

  // Four by four vectors, which are the lines that bytes fill.
  template <bool with_factors>
  static void put_bytes(const PrepareJob& job, size_t row, ByteRange range, uint8_t* out) {
    const float* in = job.in + row * job.in_stride;
    const V factor = V::all(range.inverse), zero = V::all(range.byte_of_zero);
    const auto byte = [&](V x) -> V { return V::fma(x, factor, zero); };
    const auto at = [&](size_t i) -> V { return byte(input<with_factors>(job, in, i)); };
    size_t i = 0;
    for (; i + 64 <= job.k; i += 64) V::store_bytes(at(i), at(i + 16), at(i + 32), at(i + 48), out + i);
    for (; i + 16 <= job.k; i += 16) at(i).store_bytes(out + i);
    if (i < job.k) {
      uint8_t last[16];
      byte(last_inputs<with_factors>(job, in, i)).store_bytes(last);
      std::memcpy(out + i, last, job.k - i);
    }
    std::fill(out + job.k, out + 4 * job.steps, uint8_t{0});
  }

  // out(row): where its bytes go. Some rows' ranges before their bytes, as each is waited for long; as many
  // as stay in the first-level cache between the two.
  template <bool with_factors, class Out>
  static void prepare_byte_rows(const PrepareJob& job, Out out) {
    constexpr size_t most = 4, near = 6 << 10;  // near: numbers.
    const size_t together = std::clamp<size_t>(near / std::max<size_t>(job.k, 1), 1, most);
    ByteRange ranges[most];
    for (size_t row = 0; row < job.rows; row += together) {
      const size_t rows = std::min(together, job.rows - row);
      for (size_t i = 0; i < rows; ++i) ranges[i] = byte_range<with_factors>(job, row + i);
      for (size_t i = 0; i < rows; ++i) put_bytes<with_factors>(job, row + i, ranges[i], out(row + i));
    }
  }
  template <class Out>
  static void prepare_byte_rows(const PrepareJob& job, Out out) {
    job.factors == nullptr ? prepare_byte_rows<false>(job, out) : prepare_byte_rows<true>(job, out);
  }

  static void prepare_bytes(const PrepareJob& job) {
    prepare_byte_rows(
        job, [&job](size_t row) { return reinterpret_cast<uint8_t*>(job.out + row * job.row_words); });
  }

  // Each four bytes as two words of 16 bits: bytes 0 and 2, bytes 1 and 3.
  static void prepare_wide_bytes(const PrepareJob& job) {
    // The bytes go to the second half first, from where each word is spread to the front.
    prepare_byte_rows(job, [&job](size_t row) {
      return reinterpret_cast<uint8_t*>(job.out + row * job.row_words + job.steps);
    });
    for (size_t row = 0; row < job.rows; ++row) {
      uint32_t* words = job.out + row * job.row_words;
      const uint32_t* packed = words + job.steps;
      for (size_t i = 0; i < job.steps; ++i) {
        const uint32_t four = packed[i];
        words[2 * i] = four & 0x00FF00FFU;
        words[2 * i + 1] = four >> 8 & 0x00FF00FFU;
      }
    }
  }
};

// What attention does around its two products, in the same words as ProductRows makes.
template <class V>
struct AttentionRows {
  using Rows = RowKernels<V>;
  using Products = ProductRows<V>;
  static constexpr float lowest = -std::numeric_limits<float>::infinity();

  // convert(row, step, words): words [step, step + 16) of a row.
  template <class Convert>
  static void transpose_strip(const PackJob& job, Convert convert) {
    alignas(64) uint32_t rows[16 * 16];
    for (size_t step = 0; step < job.steps; step += 16) {
      for (size_t row = 0; row < 16; ++row) {
        if (row < job.rows)
          convert(job.in + row * job.in_stride, step, rows + row * 16);
        else
          std::fill_n(rows + row * 16, 16, 0U);
      }
      V::transpose(rows, 16, job.out + step * line_bytes);
    }
  }

  // Numbers [at, at + 16) of a row, zeros past its end.
  static V numbers(const float* row, size_t at, size_t count) {
    if (at + 16 <= count) return V::load(row + at);
    return at < count ? V::load_first(row + at, count - at, 0) : V::all(0);
  }

  static void transpose_floats(const PackJob& job) {
    transpose_strip(job, [&](const float* row, size_t step, uint32_t* words) {
      numbers(row, step, job.columns).store(reinterpret_cast<float*>(words));
    });
  }
  static void transpose_pairs(const PackJob& job) {
    if (job.halves != nullptr) return transpose_halves(job);
    transpose_strip(job, [&](const float* row, size_t step, uint32_t* words) {
      auto* halves = reinterpret_cast<uint16_t*>(words);
      numbers(row, 2 * step, job.columns).store_as_bf16(halves);
      numbers(row, 2 * step + 16, job.columns).store_as_bf16(halves + 16);
    });
  }

  static void transpose_halves(const PackJob& job) {
    const auto* words = reinterpret_cast<const uint32_t*>(job.halves);
    const size_t stride = job.in_stride / 2;
    if (job.rows == 16 && 2 * job.steps == job.columns) {
      for (size_t step = 0; step < job.steps; step += 16)
        V::transpose(words + step, stride, job.out + step * line_bytes);
      return;
    }
    alignas(64) uint32_t rows[16 * 16];
    for (size_t step = 0; step < job.steps; step += 16) {
      for (size_t row = 0; row < 16; ++row) {
        const bool there = row < job.rows && 2 * step < job.columns;
        for (size_t i = 0; i < 16; ++i) rows[row * 16 + i] = there ? words[row * stride + step + i] : 0;
      }
      V::transpose(rows, 16, job.out + step * line_bytes);
    }
  }

  static void pack_floats(const PackJob& job) {
    for (size_t column = 0; column < job.columns; column += strip_columns) {
      std::byte* out = job.out + column / strip_columns * job.strip_bytes;
      for (size_t step = 0; step < job.steps; ++step, out += line_bytes)
        (step < job.rows ? numbers(job.in + step * job.in_stride, column, job.columns) : V::all(0))
            .store(reinterpret_cast<float*>(out));
    }
  }
  static void pack_pairs(const PackJob& job) {
    if (job.halves != nullptr) return pack_halves(job);
    const auto at = [&](size_t row, size_t column) -> V {
      if (row >= job.rows) return V::all(0);
      return numbers(job.in + row * job.in_stride, column, job.columns);
    };
    for (size_t column = 0; column < job.columns; column += strip_columns) {
      std::byte* out = job.out + column / strip_columns * job.strip_bytes;
      for (size_t step = 0; step < job.steps; ++step, out += line_bytes)
        V::store_as_pairs(at(2 * step, column), at(2 * step + 1, column), out);
    }
  }

  static void pack_halves(const PackJob& job) {
    for (size_t column = 0; column < job.columns; column += strip_columns) {
      auto* out = reinterpret_cast<uint32_t*>(job.out + column / strip_columns * job.strip_bytes);
      const uint16_t* in = job.halves + column;
      size_t step = 0;
      for (; 2 * step + 1 < job.rows; ++step, in += 2 * job.in_stride, out += strip_columns)
        for (size_t i = 0; i < strip_columns; ++i)
          out[i] = in[i] | static_cast<uint32_t>(in[job.in_stride + i]) << 16;
      if (2 * step < job.rows) {
        for (size_t i = 0; i < strip_columns; ++i) out[i] = in[i];
        ++step;
        out += strip_columns;
      }
      std::fill(out, out + (job.steps - step) * strip_columns, 0U);
    }
  }

  // put(V, to): sixteen weights as numbers of `To`, `each` of them a step; power(V): 2 to that.
  template <class To, class Put, class Power>
  static void weigh_as(const WeighJob& job, size_t each, Put put, Power power) {
    const size_t whole = job.keys / 16 * 16, rest = job.keys - whole;
    const float to_power = job.scale * 1.44269504088896341F;
    for (size_t row = 0; row < job.rows; ++row) {
      const float* scores = job.scores + row * job.stride;
      V peaks = V::all(lowest);
      for (size_t i = 0; i < whole; i += 16) peaks = V::max(peaks, V::load(scores + i));
      if (rest > 0) peaks = V::max(peaks, V::load_first(scores + whole, rest, lowest));
      float peak = peaks.peak();
      if (job.sink != nullptr) peak = std::max(peak, *job.sink / job.scale);
      const V top = V::all(peak), factor = V::all(to_power);
      V sums = V::all(0);
      auto* out = reinterpret_cast<To*>(job.words + row * job.row_words);
      for (size_t i = 0; i < whole; i += 16) {
        const V weight = power((V::load(scores + i) - top) * factor);
        sums = sums + weight;
        put(weight, out + i);
      }
      if (rest > 0) {
        const V weight = power((V::load_first(scores + whole, rest, lowest) - top) * factor);
        sums = sums + weight;
        To last[16];
        put(weight, last);
        std::memcpy(out + whole, last, rest * sizeof(To));
      }
      std::fill(out + job.keys, out + each * job.steps, To{});
      job.totals[row] = sums.sum();
      if (job.sink != nullptr) {
        float weights[16];
        power(V::all((*job.sink / job.scale - peak) * to_power)).store(weights);
        job.totals[row] += weights[0];
      }
    }
  }

  static void weigh_floats(const WeighJob& job) {
    weigh_as<float>(job, 1, [](V v, float* to) { v.store(to); }, [](V x) -> V { return Rows::exp2(x); });
  }
  static void weigh_pairs(const WeighJob& job) {
    weigh_as<uint16_t>(
        job, 2, [](V v, uint16_t* to) { v.store_as_bf16(to); }, [](V x) -> V { return Rows::near_exp2(x); });
  }
  static void weigh_wide_pairs(const WeighJob& job) {
    weigh_as<float>(
        job, 2, [](V v, float* to) { v.rounded_bf16().store(to); },
        [](V x) -> V { return Rows::near_exp2(x); });
  }

  // put(V, row, at): sixteen outputs.
  template <class Put>
  static void share_to(const ShareJob& job, Put put) {
    for (size_t row = 0; row < job.rows; ++row) {
      const V share = V::all(1.0F / job.totals[row]);
      for (size_t at = 0; at < job.columns; at += 16) {
        const V value = numbers(job.sums + row * job.sums_stride, at, job.columns) * share;
        put(value, row, at);
      }
    }
  }
  static void share_floats(const ShareJob& job) {
    share_to(job, [&job](V value, size_t row, size_t at) {
      float* out = job.out + row * job.out_stride + at;
      job.columns - at >= 16 ? value.store(out) : value.store_first(out, job.columns - at);
    });
  }
  static void share_pairs(const ShareJob& job) {
    if (job.words == nullptr) return share_floats(job);
    share_to(job,
             [&job](V value, size_t row, size_t at) { value.store_as_bf16(Products::halves(job, row, at)); });
  }
  static void share_wide_pairs(const ShareJob& job) {
    if (job.words == nullptr) return share_floats(job);
    share_to(job, [&job](V value, size_t row, size_t at) {
      value.rounded_bf16().store(Products::wide(job, row, at));
    });
  }
};

}  // namespace
}  // namespace holdfast::tensor
