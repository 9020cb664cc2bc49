// The oracle: each kernel in the fewest clear lines.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/kernels.h"
#include "tensor/simd/block_dots.h"
#include "tensor/simd/whole_rows.h"

namespace holdfast::tensor {
namespace {

float gelu_of(float x) { return 0.5F * x * (1.0F + std::erf(x * 0.70710678118654752F)); }

void layer_norm(const LayerNormJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    const float* in = job.in + row * (job.in_stride != 0 ? job.in_stride : job.width);
    float* out = job.out + row * (job.out_stride != 0 ? job.out_stride : job.width);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < job.width; ++i) sum += in[i];
    const double mean = sum / static_cast<double>(job.width);
    for (size_t i = 0; i < job.width; ++i) squares += (in[i] - mean) * (in[i] - mean);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(job.width) + job.epsilon);
    for (size_t i = 0; i < job.width; ++i)
      out[i] = static_cast<float>((in[i] - mean) * scale * job.gamma[i] + job.beta[i]);
  }
}

void rms_norm(const LayerNormJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    const float* in = job.in + row * (job.in_stride != 0 ? job.in_stride : job.width);
    float* out = job.out + row * (job.out_stride != 0 ? job.out_stride : job.width);
    double squares = 0;
    for (size_t i = 0; i < job.width; ++i) squares += static_cast<double>(in[i]) * in[i];
    const double scale = 1 / std::sqrt(squares / static_cast<double>(job.width) + job.epsilon);
    for (size_t i = 0; i < job.width; ++i) out[i] = static_cast<float>(in[i] * scale * job.gamma[i]);
  }
}

void softmax(const SoftmaxJob& job) {
  if (job.width == 0) return;
  for (size_t row = 0; row < job.rows; ++row) {
    float* x = job.data + row * job.stride;
    const float peak = *std::max_element(x, x + job.width);  // Subtracted so that exp cannot overflow.
    double sum = 0;
    for (size_t i = 0; i < job.width; ++i) sum += x[i] = std::exp((x[i] - peak) * job.scale);
    for (size_t i = 0; i < job.width; ++i) x[i] = static_cast<float>(x[i] / sum);
  }
}

void gelu(float* data, size_t count) {
  for (size_t i = 0; i < count; ++i) data[i] = gelu_of(data[i]);
}

void add(float* into, const float* more, size_t count) {
  for (size_t i = 0; i < count; ++i) into[i] += more[i];
}

float activated(Activation activation, float x) {
  const auto sigmoid = [](float v) { return 1.0F / (1.0F + std::exp(-v)); };
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x > 0 ? x : 0.0F;
    case Activation::relu_squared:
      return x > 0 ? x * x : 0.0F;
    case Activation::gelu:
      return gelu_of(x);
    case Activation::gelu_tanh:
      return 0.5F * x * (1.0F + std::tanh(0.79788456080286536F * (x + 0.044715F * x * x * x)));
    case Activation::gelu_quick:
      return x * sigmoid(1.702F * x);
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(std::fmin(x, 80.0F))));
    case Activation::relu_six:
      return std::clamp(x, 0.0F, 6.0F);
    case Activation::leaky_relu:
      return x > 0 ? x : 0.01F * x;
    case Activation::gelu_ten:
      return std::clamp(gelu_of(x), -10.0F, 10.0F);
    case Activation::laplace:
      return 0.5F * (1.0F + std::erf((x - 0.707107F) / (0.282095F * 1.41421356F)));
  }
  return x;
}

void activate(Activation activation, float* data, size_t count) {
  for (size_t i = 0; i < count; ++i) data[i] = activated(activation, data[i]);
}

uint16_t to_bf16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return 0x7FC0;
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1U)) >> 16);
}

float from_bf16(uint32_t bits) { return std::bit_cast<float>(bits << 16); }

void prepare_floats(const PrepareJob& job) {
  for (size_t row = 0; row < job.rows; ++row)
    for (size_t k = 0; k < job.steps; ++k)
      job.out[row * job.row_words + k] =
          k < job.k ? std::bit_cast<uint32_t>(job.in[row * job.in_stride + k]) : 0;
}

void prepare_bf16(const PrepareJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    const auto at = [&](size_t k) -> uint32_t {
      return k < job.k ? to_bf16(job.in[row * job.in_stride + k]) : 0;
    };
    for (size_t step = 0; step < job.steps; ++step)
      job.out[row * job.row_words + step] = at(2 * step) | at(2 * step + 1) << 16;
  }
}

void prepare_bytes(const PrepareJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    const float* in = job.in + row * job.in_stride;
    float least = 0, most = 0;
    const auto at = [&](size_t k) -> float {
      return job.factors == nullptr ? in[k] : in[k] * job.factors[k];
    };
    for (size_t k = 0; k < job.k; ++k) {
      least = std::min(least, at(k));
      most = std::max(most, at(k));
    }
    const float range = most - least, inverse = range > 1e-30F ? 255.0F / range : 0.0F;
    const float zero = std::nearbyint(-least * inverse);
    job.scales[row] = range / 255.0F;
    job.shifts[row] = -zero * job.scales[row];
    for (size_t step = 0; step < job.steps; ++step) {
      uint32_t word = 0;
      for (size_t i = 0; i < 4; ++i) {
        const size_t k = 4 * step + i;
        const float q = k < job.k ? std::nearbyint(std::fma(at(k), inverse, zero)) : 0.0F;
        word |= static_cast<uint32_t>(std::isnan(q) ? 0.0F : std::clamp(q, 0.0F, 255.0F)) << (8 * i);
      }
      job.out[row * job.row_words + step] = word;
    }
  }
}

template <class Number, class Step>
void sums(const SumsJob& job, Step step) {
  for (size_t row = 0; row < job.row_count; ++row)
    for (size_t column = 0; column < job.strip_count * strip_columns; ++column) {
      const std::byte* strip = job.strips + column / strip_columns * job.strip_bytes;
      Number sum = 0;
      auto* out = static_cast<Number*>(job.sums) + row * job.sums_stride + column;
      if (job.begin == SumsJob::Begin::at_sums) sum = *out;
      for (size_t k = 0; k < job.steps; ++k) {
        uint32_t word;
        std::memcpy(&word, strip + k * job.line_stride + column % strip_columns * 4, 4);
        sum = step(sum, job.rows[row * job.row_words + k], word);
      }
      *out = sum;
    }
}

void float_sums(const SumsJob& job) {
  sums<float>(job, [](float sum, uint32_t a, uint32_t b) {
    return std::fma(std::bit_cast<float>(a), std::bit_cast<float>(b), sum);
  });
}

void bf16_sums(const SumsJob& job) {
  sums<float>(job, [](float sum, uint32_t a, uint32_t b) {
    sum = std::fma(from_bf16(a & 0xFFFFU), from_bf16(b & 0xFFFFU), sum);
    return std::fma(from_bf16(a >> 16), from_bf16(b >> 16), sum);
  });
}

void byte_sums(const SumsJob& job) {
  sums<int32_t>(job, [](int32_t sum, uint32_t a, uint32_t b) {
    for (unsigned at = 0; at < 32; at += 8)
      sum += static_cast<int32_t>(a >> at & 255U) * static_cast<int8_t>(b >> at & 255U);
    return sum;
  });
}

float value_of(const FinishJob& job, size_t row, size_t column) {
  const size_t at = row * job.sums_stride + column;
  if (job.row_scales == nullptr) return static_cast<const float*>(job.sums)[at] + job.bias[column];
  const auto sum = static_cast<float>(static_cast<const int32_t*>(job.sums)[at]);
  return std::fma(sum, job.row_scales[row] * job.column_scales[column],
                  std::fma(job.row_shifts[row], job.weight_sums[column], job.bias[column]));
}

// A number of a row of pairs.
void put_bf16(uint32_t* row, size_t at, float x) {
  const unsigned shift = at % 2 * 16;
  row[at / 2] = (row[at / 2] & ~(0xFFFFU << shift)) | static_cast<uint32_t>(to_bf16(x)) << shift;
}

void finish(const FinishJob& job) {
  for (size_t row = 0; row < job.rows; ++row)
    for (size_t column = 0; column < job.columns; ++column) {
      float value;
      if (job.gated) {
        const size_t gate = column / strip_columns * 2 * strip_columns + column % strip_columns;
        value =
            activated(job.activation, value_of(job, row, gate)) * value_of(job, row, gate + strip_columns);
      } else {
        value = activated(job.activation, value_of(job, row, column));
      }
      if (job.words != nullptr) {
        put_bf16(job.words + row * job.row_words, job.word_from + column, value);
        continue;
      }
      if (job.addend != nullptr) value += job.addend[row * job.out_stride + column];
      job.out[row * job.out_stride + column] = value;
    }
}

void share(const ShareJob& job) {
  for (size_t row = 0; row < job.rows; ++row)
    for (size_t column = 0; column < job.columns; ++column) {
      const float value = job.sums[row * job.sums_stride + column] / job.totals[row];
      if (job.words != nullptr)
        put_bf16(job.words + row * job.row_words, job.word_from + column, value);
      else
        job.out[row * job.out_stride + column] = value;
    }
}

// Word `step` of line `column` of the packed form of a matrix whose number (k, column) is at(k, column).
template <class At>
void pack(const PackJob& job, bool pairs, size_t columns, At at) {
  for (size_t column = 0; column < columns; ++column)
    for (size_t step = 0; step < job.steps; ++step) {
      const uint32_t word = pairs ? to_bf16(at(2 * step, column)) |
                                        static_cast<uint32_t>(to_bf16(at(2 * step + 1, column))) << 16
                                  : std::bit_cast<uint32_t>(at(step, column));
      std::memcpy(
          job.out + column / strip_columns * job.strip_bytes + step * line_bytes + column % strip_columns * 4,
          &word, 4);
    }
}

float number_of(const PackJob& job, size_t row, size_t column) {
  const size_t at = row * job.in_stride + column;
  return job.halves != nullptr ? from_bf16(job.halves[at]) : job.in[at];
}

template <bool pairs>
void pack_transposed(const PackJob& job) {
  pack(job, pairs, strip_columns, [&](size_t k, size_t column) {
    return column < job.rows && k < job.columns ? number_of(job, column, k) : 0.0F;
  });
}

template <bool pairs>
void pack_rows(const PackJob& job) {
  const size_t columns = (job.columns + strip_columns - 1) / strip_columns * strip_columns;
  pack(job, pairs, columns, [&](size_t k, size_t column) {
    return k < job.rows && column < job.columns ? number_of(job, k, column) : 0.0F;
  });
}

template <bool pairs>
void weigh(const WeighJob& job) {
  for (size_t row = 0; row < job.rows; ++row) {
    const float* scores = job.scores + row * job.stride;
    const float sink = job.sink != nullptr ? *job.sink / job.scale : -INFINITY;
    const float peak = job.keys > 0 ? std::max(sink, *std::max_element(scores, scores + job.keys)) : sink;
    double total = job.sink != nullptr ? std::exp((sink - peak) * job.scale) : 0;
    const auto weight = [&](size_t key) {
      return key < job.keys ? std::exp((scores[key] - peak) * job.scale) : 0.0F;
    };
    for (size_t step = 0; step < job.steps; ++step)
      job.words[row * job.row_words + step] =
          pairs ? to_bf16(weight(2 * step)) | static_cast<uint32_t>(to_bf16(weight(2 * step + 1))) << 16
                : std::bit_cast<uint32_t>(weight(step));
    for (size_t key = 0; key < job.keys; ++key) total += weight(key);
    job.totals[row] = static_cast<float>(total);
  }
}

float scale_at(const BlockFormat& format, const std::byte* scales, size_t column) {
  if (format.scale_bytes == 2) {
    uint16_t bits;
    std::memcpy(&bits, scales + 2 * column, 2);
    return from_half(bits);
  }
  float scale;
  std::memcpy(&scale, scales + 4 * column, 4);
  return scale;
}

float weight_at(const BlockFormat& format, const std::byte* strip, size_t k, size_t column) {
  const std::byte* group = strip + k / format.group * group_bytes(format);
  const std::byte* codes = group + scales_bytes(format);
  const size_t at = k % format.group;
  const auto byte = static_cast<uint8_t>(codes[(format.code_bits == 4 ? at / 2 : at) * 16 + column]);
  const int code = format.code_bits == 4 ? byte >> (at % 2 * 4) & 15 : static_cast<int8_t>(byte);
  const float least = format.has_least ? scale_at(format, group + 16 * format.scale_bytes, column) : 0.0F;
  return std::fma(static_cast<float>(code), scale_at(format, group, column), least);
}

void block_sums(const BlockSumsJob& job) {
  for (size_t row = 0; row < job.row_count; ++row)
    for (size_t column = 0; column < job.strip_count * 16; ++column) {
      const std::byte* strip = job.strips + column / 16 * job.strip_bytes;
      float sum = 0;
      for (size_t k = 0; k < job.groups * job.format.group; ++k)
        sum = std::fma(job.rows[row * job.row_stride + k], weight_at(job.format, strip, k, column % 16), sum);
      job.sums[row * job.sums_stride + column] = sum;
    }
}

void widen(const WidenJob& job) {
  for (size_t k = 0; k < job.groups * job.format.group; ++k)
    for (size_t column = 0; column < 16; ++column)
      job.lines[k * 16 + column] = weight_at(job.format, job.strip, k, column);
}

// Word for word what tensor/block_bytes.h says.
class PlainDots {
 public:
  explicit PlainDots(const BlockDotsJob& job) : job_(job), groups_(job.inputs / job.format.group) {}

  void run() const {
    for (size_t row = 0; row < job_.row_count; ++row)
      for (size_t column = 0; column < job_.strip_count * strip_columns; ++column)
        job_.sums[row * job_.sums_stride + column] = sum(row, column);
  }

 private:
  static float half(const std::byte* at, size_t lane) {
    uint16_t bits;
    std::memcpy(&bits, at + 2 * lane, 2);
    return from_half(bits);
  }
  float number(const std::byte* at, const std::byte* super, size_t lane) const {
    float out = 0;
    switch (job_.format.scales) {
      case ByteFormat::Scales::half:
        return half(at, lane);
      case ByteFormat::Scales::single:
        std::memcpy(&out, at + 4 * lane, 4);
        return out;
      case ByteFormat::Scales::parts:
        break;
    }
    return static_cast<float>(static_cast<int8_t>(at[lane])) * half(super, lane);
  }
  int32_t code(const std::byte* lines, size_t lane, size_t input) const {
    const size_t group = job_.format.group;
    if (job_.format.code_bits == 8) return static_cast<int8_t>(lines[input / 4 * 64 + lane * 4 + input % 4]);
    const size_t at = input % (group / 2);
    const auto byte = static_cast<uint8_t>(lines[at / 4 * 64 + lane * 4 + at % 4]);
    return (input < group / 2 ? byte & 15 : byte >> 4) - job_.format.zero;
  }
  int32_t row_code(size_t row, size_t g, size_t i) const {
    const ByteRows& rows = job_.rows;
    const int8_t* at = rows.codes + rows.code_place(row, job_.inputs, job_.format.group) +
                       g * rows.lanes * rows.group_bytes(job_.format.group);
    return rows.fine ? fine_steps(job_.format) * at[i] + at[job_.format.group + i] : at[i];
  }
  float sum(size_t row, size_t column) const {
    const ByteFormat& format = job_.format;
    const std::byte* at = job_.strips + column / strip_columns * job_.strip_bytes;
    const std::byte* super = at;
    const size_t lane = column % strip_columns;
    float out = 0;
    for (size_t g = 0; g < groups_; ++g) {
      if (super_bytes(format) != 0 && g * format.group % super_inputs == 0) {
        super = at;
        at += super_bytes(format);
      }
      int32_t whole = 0;
      for (size_t i = 0; i < format.group; ++i)
        whole += code(at + byte_scales_bytes(format), lane, i) * row_code(row, g, i);
      const size_t place = job_.rows.place(row, groups_) + g * job_.rows.lanes;
      out = std::fma(static_cast<float>(whole), number(at, super, lane) * job_.rows.scales[place], out);
      if (format.has_least)
        out = std::fma(number(at + number_bytes(format.scales), super + 32, lane),
                       job_.rows.scaled_sums[place], out);
      at += byte_group_bytes(format);
    }
    return out;
  }

  const BlockDotsJob& job_;
  const size_t groups_;
};

void block_dots(const BlockDotsJob& job) { PlainDots(job).run(); }

}  // namespace

const Kernels plain_kernels = {
    Isa::plain,
    layer_norm,
    rms_norm,
    softmax,
    gelu,
    add,
    activate,
    plain_channel_taps,
    block_sums,
    widen,
    quantize_rows,
    block_dots,
    whole_rows,
    plain_whole_dots,
    {{1, prepare_floats, float_sums, finish, pack_transposed<false>, pack_rows<false>, weigh<false>, share},
     {1, prepare_bf16, bf16_sums, finish, pack_transposed<true>, pack_rows<true>, weigh<true>, share},
     {1, prepare_bytes, byte_sums, finish}}};

}  // namespace holdfast::tensor
