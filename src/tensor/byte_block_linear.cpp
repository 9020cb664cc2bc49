#include "tensor/byte_block_linear.h"

#include <algorithm>
#include <cstring>

#include "tensor/buffer.h"
#include "tensor/kept_floats.h"
#include "tensor/kernels.h"
#include "tensor/strip_outputs.h"
#include "tensor/work_watch.h"

namespace holdfast::tensor {
namespace {

// Rows that one pass over a strip serves before it goes on to the next; with tiles more, as strips are
// unpacked for them first.
constexpr size_t rows_share = 64, rows_share_of_tiles = 256;
constexpr size_t few_rows = 4, middle_rows = 16;
// Rows and strips that a thread takes at a time.
constexpr size_t rows_quantised = 4;
// Without tiles there are no strips to unpack ahead, and smaller shares end closer to each other.
constexpr size_t few_strips = 16, middle_strips_of_rows = 4, middle_strips_of_tiles = 6, many_strips = 4;
// Layers as large as a head are packed by several threads, so many outputs at a time.
constexpr size_t shared_bytes = 16 << 20, packing_threads = 2, outputs_packed = 1024;

// One caller's rows as bytes, and one thread's sums; kept between calls.
struct Scratch {
  Floats codes, scales, scaled_sums, sums, out;
};
thread_local Scratch scratch;

float* ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count + count / 2);
  return buffer.data();
}

class ByteBlockLayer final : public Linear {
 public:
  ByteBlockLayer(const BlockWeights& weights, Isa isa)
      : ByteBlockLayer(shape_of(weights), weights.type, weights.row_bits, isa) {
    own_ = KeptFloats(numbers_of().count());
    numbers_ = own_.data();
    const size_t strips_end = strips_ * strip_bytes_ / sizeof(float);  // The rest of a line, and biases.
    std::fill_n(own_.data() + strips_end, own_.size() - strips_end, 0.0F);
    clear_unfilled();
    const size_t outputs = weights.rows.size();
    if (own_.size() * sizeof(float) < shared_bytes) {
      take(weights, 0, outputs);
      return;
    }
    const size_t parts = (outputs + outputs_packed - 1) / outputs_packed;
    make_threads(packing_threads)->run(parts, [&](size_t part) {
      const size_t first = part * outputs_packed;
      take(weights, first, std::min(outputs, first + outputs_packed));
    });
  }

  ByteBlockLayer(const LinearShape& shape, codec::GgmlType type, RowBits rows, Isa isa)
      : kernels_(kernels_for(isa)),
        product_(kernels_.products[static_cast<size_t>(Precision::f32)]),
        format_(*byte_format(type)),
        inputs_(shape.inputs),
        groups_(shape.inputs / format_.group),
        rows_(rows),
        rows_share_(isa == Isa::amx ? rows_share_of_tiles : rows_share),
        outputs_(outputs_of(shape)),
        strips_(outputs_.strips()),
        strip_bytes_(byte_strip_bytes(format_, inputs_)) {}

  StripNumbers numbers_of() const { return {strip_bytes_, strips_}; }
  void borrow(std::span<const float> packed) { numbers_ = packed.data(); }
  std::span<const float> packed() const override {
    if (rows_ != RowBits::fine) return {};
    return {numbers_, numbers_of().count()};
  }

  size_t inputs() const override { return inputs_; }
  size_t width() const override { return outputs_.width; }
  size_t bytes() const override { return own_.size() * sizeof(float); }

  void run(const LinearRun& run, Threads& threads) const override {
    if (run.rows == 0 || outputs_.width == 0) return;
    if (work_watch != nullptr)
      work_watch->worked(
          2.0 * static_cast<double>(run.rows * inputs_ * outputs_.width * (outputs_.gated ? 2 : 1)), this,
          strips_ * strip_bytes_);
    const ByteRows rows = quantize(run, threads);
    const size_t share = run.rows <= few_rows      ? few_strips
                         : run.rows <= middle_rows ? middle_strips()
                                                   : many_strips;
    threads.run((strips_ + share - 1) / share, [&](size_t index) {
      const size_t first = index * share, count = std::min(share, strips_ - first);
      for (size_t row = 0; row < run.rows; row += rows_share_)
        dots(run, rows, first, count, row, std::min(rows_share_, run.rows - row));
    });
  }

 private:
  bool has_tiles() const { return rows_share_ == rows_share_of_tiles; }
  size_t middle_strips() const { return has_tiles() ? middle_strips_of_tiles : middle_strips_of_rows; }

  // Packs outputs [first, end).
  void take(const BlockWeights& weights, size_t first, size_t end) {
    BlockRow row;
    const size_t block_bytes = codec::ggml_type_row(weights.type).block_bytes;
    for (size_t output = first; output < end; ++output) {
      const size_t column = outputs_.column_of(output);
      if (!weights.bias.empty()) own_.data()[numbers_of().bias_at() + column] = weights.bias[output];
      if (is_copied(weights.type)) {
        copy(weights.rows[output], block_bytes, column);
        continue;
      }
      read_block_row(weights.type, weights.rows[output], inputs_, row);
      pack(row, column);
    }
  }

  ByteRows quantize(const LinearRun& run, Threads& threads) const {
    ByteRows out;
    out.fine = rows_ == RowBits::fine;
    out.lanes = run.rows < few_rows ? 1 : lanes_of_many;
    const size_t padded = (run.rows + out.lanes - 1) / out.lanes * out.lanes, numbers = padded * groups_;
    out.codes = reinterpret_cast<int8_t*>(ensure(scratch.codes, (padded * out.row_bytes(inputs_) + 3) / 4));
    out.scales = ensure(scratch.scales, numbers);
    out.scaled_sums = ensure(scratch.scaled_sums, numbers);
    out.sums = reinterpret_cast<int32_t*>(ensure(scratch.sums, numbers));
    const auto part = [&](size_t first, size_t count) {
      QuantizeJob job;
      job.in_stride = run.in_stride != 0 ? run.in_stride : inputs_;
      job.in = run.in + first * job.in_stride;
      job.rows = count;
      job.inputs = inputs_;
      job.group = format_.group;
      job.steps = fine_steps(format_);
      job.out = out;
      job.row = first;
      kernels_.quantize(job);
    };
    if (run.rows < 2 * rows_quantised) {
      part(0, run.rows);
    } else {
      threads.run((run.rows + rows_quantised - 1) / rows_quantised, [&](size_t index) {
        part(index * rows_quantised, std::min(rows_quantised, run.rows - index * rows_quantised));
      });
    }
    return out;
  }

  std::byte* strip(size_t column) {
    return reinterpret_cast<std::byte*>(own_.data()) + column / strip_columns * strip_bytes_;
  }

  // Strips that not all sixteen outputs fill; the others are written whole.
  void clear_unfilled() {
    const size_t first = outputs_.width / strip_columns * (outputs_.gated ? 2 : 1);
    std::memset(reinterpret_cast<std::byte*>(own_.data()) + first * strip_bytes_, 0,
                (strips_ - first) * strip_bytes_);
  }

  // Types whose blocks are groups that begin with binary16 numbers and whose codes lie as in a strip's lines,
  // four neighbours in a word: copied as they are.
  static bool is_copied(codec::GgmlType type) {
    return type == codec::GgmlType::q4_0 || type == codec::GgmlType::q4_1 || type == codec::GgmlType::q8_0;
  }
  void copy(ByteView row, size_t block_bytes, size_t column) {
    const size_t lane = column % strip_columns, words = format_.group * format_.code_bits / 32;
    std::byte* at = strip(column);
    for (const std::byte* block = row.data(); block != row.data() + row.size(); block += block_bytes) {
      std::memcpy(at + 2 * lane, block, 2);
      if (format_.has_least) std::memcpy(at + 32 + 2 * lane, block + 2, 2);
      const std::byte* codes = block + (format_.has_least ? 4 : 2);
      std::byte* lines = at + byte_scales_bytes(format_) + 4 * lane;
      for (size_t i = 0; i < words; ++i) std::memcpy(lines + 64 * i, codes + 4 * i, 4);
      at += byte_group_bytes(format_);
    }
  }

  void put(std::byte* numbers, size_t lane, float value, int8_t part) const {
    switch (format_.scales) {
      case ByteFormat::Scales::half:
        return put_half(numbers, lane, half_that_equals(value));
      case ByteFormat::Scales::single:
        std::memcpy(numbers + 4 * lane, &value, 4);
        return;
      case ByteFormat::Scales::parts:
        numbers[lane] = static_cast<std::byte>(part);
        return;
    }
  }
  static void put_half(std::byte* numbers, size_t lane, uint16_t half) {
    std::memcpy(numbers + 2 * lane, &half, 2);
  }

  void pack(const BlockRow& row, size_t column) {
    const size_t lane = column % strip_columns, number = number_bytes(format_.scales);
    std::byte* at = strip(column);
    for (size_t g = 0; g < groups_; ++g, at += byte_group_bytes(format_)) {
      if (super_bytes(format_) != 0 && g * format_.group % super_inputs == 0) {
        const size_t block = g * format_.group / super_inputs;
        put_half(at, lane, row.super_scales[block]);
        if (format_.has_least) put_half(at + 32, lane, row.super_leasts[block]);
        at += super_bytes(format_);
      }
      put(at, lane, row.scales[g], row.scale_parts[g]);
      if (format_.has_least) put(at + number, lane, row.leasts[g], row.least_parts[g]);
      pack_codes(row.codes.data() + g * format_.group, at + byte_scales_bytes(format_) + 4 * lane);
    }
  }
  void pack_codes(const int8_t* codes, std::byte* out) const {
    if (format_.code_bits == 8) {
      for (size_t i = 0; i < format_.group; ++i) out[i / 4 * 64 + i % 4] = static_cast<std::byte>(codes[i]);
      return;
    }
    const size_t half = format_.group / 2;
    for (size_t i = 0; i < half; ++i)
      out[i / 4 * 64 + i % 4] = static_cast<std::byte>((codes[i] & 15) | (codes[half + i] & 15) << 4);
  }

  void dots(const LinearRun& run, const ByteRows& rows, size_t first, size_t count, size_t row,
            size_t row_count) const {
    BlockDotsJob job;
    job.format = format_;
    job.rows = rows.from(row, inputs_, groups_);
    job.row_count = row_count;
    job.strips = reinterpret_cast<const std::byte*>(numbers_) + first * strip_bytes_;
    job.strip_bytes = strip_bytes_;
    job.strip_count = count;
    job.inputs = inputs_;
    job.sums_stride = count * strip_columns;
    job.sums = ensure(scratch.out, row_count * job.sums_stride);
    kernels_.block_dots(job);
    outputs_.finish(product_, run, numbers_ + numbers_of().bias_at(), first, count, row, row_count, job.sums);
  }

  const Kernels& kernels_;
  const ProductKernel& product_;
  const ByteFormat format_;
  const size_t inputs_, groups_;
  const RowBits rows_;
  const size_t rows_share_;
  const StripOutputs outputs_;
  const size_t strips_, strip_bytes_;
  KeptFloats own_;                  // Empty where the numbers are somebody else's.
  const float* numbers_ = nullptr;  // As StripNumbers has them.
};

}  // namespace

std::unique_ptr<const Linear> make_byte_block_linear(const BlockWeights& weights, Isa isa) {
  return std::make_unique<ByteBlockLayer>(weights, isa);
}

std::unique_ptr<const Linear> make_packed_byte_block_linear(std::span<const float> packed,
                                                            const LinearShape& shape, codec::GgmlType type,
                                                            Isa isa) {
  auto layer = std::make_unique<ByteBlockLayer>(shape, type, RowBits::fine, isa);
  if (layer->numbers_of().count() != packed.size()) return nullptr;
  layer->borrow(packed);
  return layer;
}

}  // namespace holdfast::tensor
