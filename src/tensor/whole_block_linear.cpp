#include "tensor/whole_block_linear.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

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
constexpr size_t rows_of_a_block_least = 64, rows_of_a_block_most = 256;
// Weights that no thread's own cache holds come from memory for each thread that takes rows.
constexpr size_t large_bytes = 2 << 20;
constexpr size_t few_rows = 4, middle_rows = 16, lanes_of_tiles = 16;
// Rows and strips that a thread takes at a time.
constexpr size_t rows_rounded = 4;
// Without tiles there are no strips to unpack ahead, and smaller shares end closer to each other.
constexpr size_t few_strips = 16, middle_strips_of_rows = 4, middle_strips_of_tiles = 6, many_strips = 4;
// Strips that a block of rows meets piece by piece: the more, the more often a piece of the rows is met while
// it is near.
constexpr size_t strips_of_a_block = 16;
// Layers as large as a head are packed by several threads, so many outputs at a time.
constexpr size_t shared_bytes = 16 << 20, packing_threads = 2, outputs_packed = 1024;
constexpr float least_peak = 1e-30F;

// One caller's rows as bytes, and one thread's sums; kept between calls.
struct Scratch {
  Floats codes, scales, sums, out;
};
thread_local Scratch scratch;

float* ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count + count / 2);
  return buffer.data();
}

class WholeBlockLayer final : public Linear {
 public:
  WholeBlockLayer(const BlockWeights& weights, Isa isa)
      : WholeBlockLayer(shape_of(weights), weights.type, isa) {
    own_ = KeptFloats(numbers_of().count());
    numbers_ = own_.data();
    std::fill_n(own_.data() + numbers_of().bias_at(), strips_ * strip_columns, 0.0F);
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

  WholeBlockLayer(const LinearShape& shape, codec::GgmlType type, Isa isa)
      : kernels_(kernels_for(isa)),
        product_(kernels_.products[static_cast<size_t>(Precision::f32)]),
        inputs_(shape.inputs),
        group_(byte_format(type)->group),
        rows_share_(isa == Isa::amx ? rows_share_of_tiles : rows_share),
        outputs_(outputs_of(shape)),
        strips_(outputs_.strips()),
        strip_bytes_(whole_strip_bytes(inputs_, group_)) {}

  StripNumbers numbers_of() const { return {strip_bytes_, strips_}; }
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
          strips_ * strip_bytes_);
    if (const size_t rows = rows_of_a_block(run.rows, threads); rows < run.rows) {
      return threads.run((run.rows + rows - 1) / rows, [&](size_t block) {
        const LinearRun own = part_of(run, block * rows, rows);
        const WholeRows rounded = rows_of(own.rows);
        round(own, rounded, 0, own.rows);
        for (size_t strip = 0; strip < strips_; strip += strips_of_a_block)
          dots(own, rounded, strip, std::min(strips_of_a_block, strips_ - strip));
      });
    }
    const WholeRows rows = rows_of(run.rows);
    if (run.rows < 2 * rows_rounded) {
      round(run, rows, 0, run.rows);
    } else {
      threads.run((run.rows + rows_rounded - 1) / rows_rounded, [&](size_t index) {
        round(run, rows, index * rows_rounded, std::min(rows_rounded, run.rows - index * rows_rounded));
      });
    }
    const size_t share = run.rows <= few_rows      ? few_strips
                         : run.rows <= middle_rows ? middle_strips()
                         : is_large()              ? strips_of_a_block
                                                   : many_strips;
    threads.run((strips_ + share - 1) / share, [&](size_t index) {
      const size_t first = index * share;
      dots(run, rows, first, std::min(share, strips_ - first));
    });
  }

 private:
  bool has_tiles() const { return rows_share_ == rows_share_of_tiles; }
  size_t middle_strips() const { return has_tiles() ? middle_strips_of_tiles : middle_strips_of_rows; }
  // Measured with tiles only.
  bool is_large() const { return has_tiles() && strips_ * strip_bytes_ > large_bytes; }

  // Packs outputs [first, end).
  void take(const BlockWeights& weights, size_t first, size_t end) {
    BlockRow row;
    for (size_t output = first; output < end; ++output) {
      const size_t column = outputs_.column_of(output);
      if (!weights.bias.empty()) own_.data()[numbers_of().bias_at() + column] = weights.bias[output];
      read_scales(weights.type, weights.rows[output], row);
      pack_numbers(row, column);
      if (is_copied(weights.type))
        copy_codes(weights.type, weights.rows[output], column);
      else
        pack_codes(row, column);
    }
  }

  // Types whose blocks are groups and whose codes lie as in a strip's lines, four neighbours in a word.
  static bool is_copied(codec::GgmlType type) {
    return type == codec::GgmlType::q4_0 || type == codec::GgmlType::q4_1;
  }

  // Of those that are copied no codes are read.
  void read_scales(codec::GgmlType type, ByteView blocks, BlockRow& out) const {
    if (!is_copied(type)) return read_block_row(type, blocks, inputs_, out);
    const size_t groups = inputs_ / group_, block_bytes = blocks.size() / std::max<size_t>(groups, 1);
    out.scales.resize(groups);
    out.leasts.resize(groups);
    for (size_t g = 0; g < groups; ++g) {
      uint16_t halves[2];
      std::memcpy(halves, blocks.data() + g * block_bytes, sizeof halves);
      out.scales[g] = from_half(halves[0]);
      out.leasts[g] = type == codec::GgmlType::q4_1 ? from_half(halves[1]) : -8 * out.scales[g];
    }
  }

  std::byte* strip(size_t column) {
    return reinterpret_cast<std::byte*>(own_.data()) + column / strip_columns * strip_bytes_;
  }
  // Where group g of a strip begins.
  size_t group_place(size_t g) const {
    return (g * group_ / whole_piece + 1) * line_bytes + g * whole_group_bytes(group_);
  }

  // Strips that not all sixteen outputs fill; the others are written whole.
  void clear_unfilled() {
    const size_t first = outputs_.width / strip_columns * (outputs_.gated ? 2 : 1);
    std::memset(reinterpret_cast<std::byte*>(own_.data()) + first * strip_bytes_, 0,
                (strips_ - first) * strip_bytes_);
  }

  // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits: loading waits for millions of
  // these.
  static int16_t nearest(float x) { return static_cast<int16_t>(std::bit_cast<uint32_t>(x + 12582912.0F)); }

  // A piece's scale is its greatest weight's whole_most-th.
  void pack_numbers(const BlockRow& row, size_t column) {
    const size_t groups = inputs_ / group_, most = whole_piece / group_, lane = column % strip_columns;
    for (size_t from = 0; from < groups; from += most) {
      const size_t end = std::min(groups, from + most);
      float peak = 0;
      bool finite = true;
      for (size_t g = from; g < end; ++g) {
        const float least = row.leasts[g], last = 15 * row.scales[g] + least;
        finite = finite && std::isfinite(least) && std::isfinite(last);
        peak = std::max({peak, std::abs(least), std::abs(last)});
      }
      const bool none = !finite || peak < least_peak;
      const float scale = !finite ? std::numeric_limits<float>::quiet_NaN()
                          : none  ? 0.0F
                                  : peak / static_cast<float>(whole_most);
      const float inverse = none ? 0.0F : static_cast<float>(whole_most) / peak;
      std::memcpy(strip(column) + group_place(from) - line_bytes + 4 * lane, &scale, 4);
      for (size_t g = from; g < end; ++g) {
        int16_t numbers[2] = {};
        if (!none) {
          numbers[0] = nearest(row.scales[g] * inverse);
          numbers[1] = nearest((8 * row.scales[g] + row.leasts[g]) * inverse);
        }
        std::memcpy(strip(column) + group_place(g) + 4 * lane, numbers, 4);
      }
    }
  }

  void copy_codes(codec::GgmlType type, ByteView blocks, size_t column) {
    const size_t groups = inputs_ / group_, head = type == codec::GgmlType::q4_1 ? 4 : 2;
    for (size_t g = 0; g < groups; ++g) {
      const std::byte* codes = blocks.data() + g * (head + group_ / 2) + head;
      std::byte* lines = strip(column) + group_place(g) + line_bytes + 4 * (column % strip_columns);
      for (size_t i = 0; i < group_ / 8; ++i) std::memcpy(lines + line_bytes * i, codes + 4 * i, 4);
    }
  }
  void pack_codes(const BlockRow& row, size_t column) {
    const size_t groups = inputs_ / group_, half = group_ / 2;
    for (size_t g = 0; g < groups; ++g) {
      const int8_t* codes = row.codes.data() + g * group_;
      std::byte* lines = strip(column) + group_place(g) + line_bytes + 4 * (column % strip_columns);
      for (size_t i = 0; i < half; ++i)
        lines[i / 4 * line_bytes + i % 4] =
            static_cast<std::byte>((codes[i] & 15) | (codes[half + i] & 15) << 4);
    }
  }

  // Rows that are one thread's from their rounding to their outputs: what the product before wrote of them is
  // in its own cache, and nobody waits between rounding and products. All of them where a share would be so
  // small that unpacking the strips for each, or reading them from memory, costs more.
  size_t rows_of_a_block(size_t rows, const Threads& threads) const {
    const size_t least = (rows + rows_of_a_block_most - 1) / rows_of_a_block_most;
    const size_t blocks = std::max(least, threads.count()), even = (rows + blocks - 1) / blocks;
    if (even < rows_of_a_block_least || (is_large() && rows <= rows_of_a_block_most)) return rows;
    return (even + lanes_of_tiles - 1) / lanes_of_tiles * lanes_of_tiles;
  }

  // At most `rows` rows of a run from `first` on.
  LinearRun part_of(const LinearRun& run, size_t first, size_t rows) const {
    LinearRun out = run;
    out.in_stride = run.in_stride != 0 ? run.in_stride : inputs_;
    out.out_stride = run.out_stride != 0 ? run.out_stride : outputs_.width;
    out.in += first * out.in_stride;
    out.out += first * out.out_stride;
    if (run.addend != nullptr) out.addend += first * out.out_stride;
    out.rows = std::min(rows, run.rows - first);
    return out;
  }

  // Memory of this thread for so many rows as bytes.
  WholeRows rows_of(size_t count) const {
    WholeRows out;
    out.lanes = count < few_rows ? 1 : lanes_of_tiles;
    const size_t padded = (count + out.lanes - 1) / out.lanes * out.lanes;
    out.codes = reinterpret_cast<int8_t*>(ensure(scratch.codes, padded * WholeRows::row_bytes(inputs_) / 4));
    out.scales = ensure(scratch.scales, padded * pieces_of(inputs_));
    out.sums = reinterpret_cast<int32_t*>(ensure(scratch.sums, padded * (inputs_ / group_) * 2));
    return out;
  }

  void round(const LinearRun& run, const WholeRows& out, size_t first, size_t count) const {
    WholeQuantizeJob job;
    job.in_stride = run.in_stride != 0 ? run.in_stride : inputs_;
    job.in = run.in + first * job.in_stride;
    job.rows = count;
    job.inputs = inputs_;
    job.group = group_;
    job.out = out;
    job.row = first;
    kernels_.whole_rows(job);
  }

  void dots(const LinearRun& run, const WholeRows& rows, size_t first, size_t count) const {
    for (size_t row = 0; row < run.rows; row += rows_share_)
      dots(run, rows, first, count, row, std::min(rows_share_, run.rows - row));
  }
  void dots(const LinearRun& run, const WholeRows& rows, size_t first, size_t count, size_t row,
            size_t row_count) const {
    WholeDotsJob job;
    job.group = group_;
    job.rows = rows.from(row, inputs_, group_);
    job.row_count = row_count;
    job.strips = reinterpret_cast<const std::byte*>(numbers_) + first * strip_bytes_;
    job.strip_bytes = strip_bytes_;
    job.strip_count = count;
    job.inputs = inputs_;
    job.sums_stride = count * strip_columns;
    job.sums = ensure(scratch.out, row_count * job.sums_stride);
    kernels_.whole_dots(job);
    outputs_.finish(product_, run, numbers_ + numbers_of().bias_at(), first, count, row, row_count, job.sums);
  }

  const Kernels& kernels_;
  const ProductKernel& product_;
  const size_t inputs_, group_, rows_share_;
  const StripOutputs outputs_;
  const size_t strips_, strip_bytes_;
  KeptFloats own_;                  // Empty where the numbers are somebody else's.
  const float* numbers_ = nullptr;  // As StripNumbers has them.
};

}  // namespace

bool has_whole_form(codec::GgmlType type) {
  const auto format = byte_format(type);
  return format.has_value() && format->code_bits == 4;
}

std::unique_ptr<const Linear> make_whole_block_linear(const BlockWeights& weights, Isa isa) {
  return std::make_unique<WholeBlockLayer>(weights, isa);
}

std::unique_ptr<const Linear> make_packed_whole_block_linear(std::span<const float> packed,
                                                             const LinearShape& shape, codec::GgmlType type,
                                                             Isa isa) {
  auto layer = std::make_unique<WholeBlockLayer>(shape, type, isa);
  if (layer->numbers_of().count() != packed.size()) return nullptr;
  layer->borrow(packed);
  return layer;
}

}  // namespace holdfast::tensor
