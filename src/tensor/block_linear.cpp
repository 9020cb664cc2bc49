#include "tensor/block_linear.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "tensor/buffer.h"
#include "tensor/byte_block_linear.h"
#include "tensor/kept_floats.h"
#include "tensor/kernels.h"
#include "tensor/strip_outputs.h"
#include "tensor/whole_block_linear.h"
#include "tensor/work_watch.h"

namespace holdfast::tensor {
namespace {

constexpr size_t block_rows = 96;
// Strips a thread takes at a time: with few rows the widest tile's, with many a pair, which is widened once
// and met by all rows.
constexpr size_t few_share = 8, many_share = 2;

struct Scratch {
  Floats lines, sums;
};
thread_local Scratch scratch;

float* ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count);
  return buffer.data();
}

class BlockLayer final : public Linear {
 public:
  BlockLayer(const BlockWeights& weights, Compute compute)
      : BlockLayer(shape_of(weights), *block_format(weights.type), compute) {
    BlockRow row;
    if (format_.scale_bytes == 2)
      for (const ByteView& bytes : weights.rows) {
        read_block_row(weights.type, bytes, inputs_, row);
        if (!all_halves(row.scales) || !all_halves(row.leasts)) format_.scale_bytes = 4;
      }
    own_ = KeptFloats(numbers_of().count());
    numbers_ = own_.data();
    std::memset(own_.data(), 0, own_.size() * sizeof(float));
    for (size_t output = 0; output < weights.rows.size(); ++output) {
      const size_t column = outputs_.column_of(output);
      if (!weights.bias.empty()) own_.data()[numbers_of().bias_at() + column] = weights.bias[output];
      read_block_row(weights.type, weights.rows[output], inputs_, row);
      pack(row, column);
    }
  }
  BlockLayer(const LinearShape& shape, const BlockFormat& format, Compute compute)
      : kernels_(kernels_for(compute.isa)),
        product_(kernels_.products[static_cast<size_t>(Precision::f32)]),
        format_(format),
        inputs_(shape.inputs),
        groups_(shape.inputs / format_.group),
        outputs_(outputs_of(shape)),
        strips_(outputs_.strips()) {}

  StripNumbers numbers_of() const { return {strip_bytes(), strips_}; }
  void borrow(std::span<const float> packed) { numbers_ = packed.data(); }
  std::span<const float> packed() const override { return {numbers_, numbers_of().count()}; }

  size_t inputs() const override { return inputs_; }
  size_t width() const override { return outputs_.width; }
  size_t bytes() const override { return own_.size() * sizeof(float); }

  void run(const LinearRun& run, Threads& threads) const override {
    if (run.rows == 0 || outputs_.width == 0) return;
    if (work_watch != nullptr)
      work_watch->worked(
          2.0 * static_cast<double>(run.rows * inputs_ * outputs_.width * (outputs_.gated ? 2 : 1)), this,
          strips_ * strip_bytes());
    const bool few = run.rows <= block_rows_most;
    const size_t share = few ? few_share : many_share, shares = (strips_ + share - 1) / share;
    threads.run(shares, [&](size_t index) {
      const size_t first = index * share, count = std::min(share, strips_ - first);
      if (few)
        few_rows(run, first, count);
      else
        many_rows(run, first, count);
    });
  }

 private:
  static bool all_halves(const std::vector<float>& numbers) {
    return std::all_of(numbers.begin(), numbers.end(),
                       [](float x) { return from_half(half_that_equals(x)) == x; });
  }

  size_t strip_bytes() const { return groups_ * group_bytes(format_); }
  const std::byte* strip(size_t index) const {
    return reinterpret_cast<const std::byte*>(numbers_) + index * strip_bytes();
  }

  const float* bias() const { return numbers_ + numbers_of().bias_at(); }

  void put_scale(std::byte* scales, size_t column, float scale) const {
    if (format_.scale_bytes == 4) {
      std::memcpy(scales + 4 * column, &scale, 4);
      return;
    }
    const uint16_t half = half_that_equals(scale);
    std::memcpy(scales + 2 * column, &half, 2);
  }

  void pack(const BlockRow& row, size_t column) {
    const size_t lane = column % strip_columns;
    auto* group = reinterpret_cast<std::byte*>(own_.data()) + column / strip_columns * strip_bytes();
    for (size_t g = 0; g < groups_; ++g, group += group_bytes(format_)) {
      put_scale(group, lane, row.scales[g]);
      if (format_.has_least) put_scale(group + 16 * format_.scale_bytes, lane, row.leasts[g]);
      std::byte* codes = group + scales_bytes(format_) + lane;
      const int8_t* from = row.codes.data() + g * format_.group;
      if (format_.code_bits == 8)
        for (size_t k = 0; k < format_.group; ++k) codes[16 * k] = static_cast<std::byte>(from[k]);
      else
        for (size_t k = 0; k < format_.group; k += 2)
          codes[8 * k] = static_cast<std::byte>((from[k] & 15) | (from[k + 1] & 15) << 4);
    }
  }

  void few_rows(const LinearRun& run, size_t first, size_t count) const {
    BlockSumsJob job;
    job.format = format_;
    job.rows = run.in;
    job.row_stride = run.in_stride != 0 ? run.in_stride : inputs_;
    job.row_count = run.rows;
    job.strips = strip(first);
    job.strip_bytes = strip_bytes();
    job.strip_count = count;
    job.groups = groups_;
    job.sums_stride = count * strip_columns;
    job.sums = ensure(scratch.sums, block_rows_most * job.sums_stride);
    kernels_.block_sums(job);
    outputs_.finish(product_, run, bias(), first, count, 0, run.rows, job.sums);
  }

  void many_rows(const LinearRun& run, size_t first, size_t count) const {
    float* lines = ensure(scratch.lines, count * inputs_ * strip_columns);
    for (size_t i = 0; i < count; ++i)
      kernels_.widen({format_, strip(first + i), groups_, lines + i * inputs_ * strip_columns});
    SumsJob job;
    job.row_words = run.in_stride != 0 ? run.in_stride : inputs_;
    job.strips = reinterpret_cast<const std::byte*>(lines);
    job.strip_bytes = inputs_ * line_bytes;
    job.strip_count = count;
    job.steps = inputs_;
    job.sums_stride = count * strip_columns;
    float* sums = ensure(scratch.sums, block_rows * job.sums_stride);
    job.sums = sums;
    for (size_t row = 0; row < run.rows; row += block_rows) {
      job.row_count = std::min(block_rows, run.rows - row);
      job.rows = reinterpret_cast<const uint32_t*>(run.in + row * job.row_words);
      product_.sums(job);
      outputs_.finish(product_, run, bias(), first, count, row, job.row_count, sums);
    }
  }

  const Kernels& kernels_;
  const ProductKernel& product_;
  BlockFormat format_;
  const size_t inputs_, groups_;
  const StripOutputs outputs_;
  const size_t strips_;
  KeptFloats own_;                  // Empty where the numbers are somebody else's.
  const float* numbers_ = nullptr;  // As StripNumbers has them.
};

}  // namespace

std::unique_ptr<const Linear> make_block_linear(const BlockWeights& weights, Compute compute) {
  CHECK(block_format(weights.type).has_value());
  CHECK(weights.layout == OutputLayout::plain || weights.rows.size() % 2 == 0);
  CHECK(weights.bias.empty() || weights.bias.size() == weights.rows.size());
  if (compute.precision == Precision::int8) {
    if (weights.row_bits == RowBits::fine && has_whole_form(weights.type))
      return make_whole_block_linear(weights, compute.isa);
    return make_byte_block_linear(weights, compute.isa);
  }
  return std::make_unique<BlockLayer>(weights, compute);
}

std::unique_ptr<const Linear> make_packed_block_linear(std::span<const float> packed,
                                                       const LinearShape& shape, codec::GgmlType type,
                                                       Compute compute) {
  const auto format = block_format(type);
  if (!format || shape.inputs % codec::ggml_type_row(type).block_elements != 0) return nullptr;
  if (compute.precision == Precision::int8)
    return has_whole_form(type) ? make_packed_whole_block_linear(packed, shape, type, compute.isa)
                                : make_packed_byte_block_linear(packed, shape, type, compute.isa);
  for (const uint8_t scale_bytes : {uint8_t{2}, uint8_t{4}}) {
    if (scale_bytes < format->scale_bytes) continue;
    BlockFormat own = *format;
    own.scale_bytes = scale_bytes;
    auto layer = std::make_unique<BlockLayer>(shape, own, compute);
    if (layer->numbers_of().count() != packed.size()) continue;
    layer->borrow(packed);
    return layer;
  }
  return nullptr;
}

}  // namespace holdfast::tensor
