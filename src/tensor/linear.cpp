#include "tensor/linear.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "tensor/buffer.h"
#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

// Rows that meet one group of strips before the next: they stay in the second-level cache.
constexpr size_t block_rows = 96;
// Strips done at a time: with many rows two, whose lines stay in the first-level cache; with few, enough for
// the widest tile.
constexpr size_t few_rows = 4, few_strips = 12, many_strips = 2;
// Words between rows, so that rows of 4,096 bytes do not all fall into the same lines of the cache.
constexpr size_t row_gap_words = 16;
// Strips a thread takes at a time.
constexpr size_t share_strips = 12;

size_t round_up(size_t count, size_t to) { return (count + to - 1) / to * to; }

uint16_t to_bf16(float x) {
  if (std::isnan(x)) return 0x7FC0;
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1U)) >> 16);
}

size_t steps_of(Precision precision, size_t inputs) {
  switch (precision) {
    case Precision::f32:
      return inputs;
    case Precision::bf16:
      return round_up((inputs + 1) / 2, 16);
    case Precision::int8:
      return round_up((inputs + 3) / 4, 16);
  }
  std::abort();
}

// Memory of one thread, kept between calls.
struct Scratch {
  Floats words, sums;
  std::vector<float> scales;
  std::vector<int32_t> zeros;
  void ensure(size_t word_count, size_t sum_count, size_t rows) {
    if (words.size() < word_count) words = Floats(word_count);
    if (sums.size() < sum_count) sums = Floats(sum_count);
    if (scales.size() < rows) scales.resize(rows);
    if (zeros.size() < rows) zeros.resize(rows);
  }
};
thread_local Scratch scratch;

class PackedLayer final : public Linear {
 public:
  PackedLayer(const LinearWeights& weights, Compute compute)
      : kernel_(kernels_for(compute.isa).products[static_cast<size_t>(compute.precision)]),
        precision_(compute.precision),
        inputs_(weights.inputs),
        width_(weights.layout == OutputLayout::gated ? weights.outputs / 2 : weights.outputs),
        gated_(weights.layout == OutputLayout::gated),
        steps_(steps_of(compute.precision, weights.inputs)),
        strips_(gated_ ? round_up(width_, strip_columns) / strip_columns * 2
                       : round_up(width_, 2 * strip_columns) / strip_columns),
        packed_(strips_ * steps_ * line_bytes / sizeof(float)),
        bias_(strips_ * strip_columns),
        scales_(precision_ == Precision::int8 ? strips_ * strip_columns : 0),
        weight_sums_(scales_.size()) {
    std::memset(packed_.data(), 0, packed_.size() * sizeof(float));
    std::fill_n(bias_.data(), bias_.size(), 0.0F);
    std::fill_n(scales_.data(), scales_.size(), 0.0F);
    for (size_t output = 0; output < weights.outputs; ++output) {
      const size_t column = column_of(output);
      if (!weights.bias.empty()) bias_.data()[column] = weights.bias[output];
      pack(weights.weight.data() + output * inputs_, column);
    }
  }

  size_t inputs() const override { return inputs_; }
  size_t width() const override { return width_; }
  size_t bytes() const override {
    return (packed_.size() + bias_.size() + scales_.size() + weight_sums_.size()) * sizeof(float);
  }

  void run(const LinearRun& run, Threads& threads) const override {
    if (run.rows == 0 || width_ == 0) return;
    const size_t blocks = (run.rows + block_rows - 1) / block_rows;
    const auto rows_of = [&](size_t block) { return std::min(block_rows, run.rows - block * block_rows); };
    if (threads.count() == 1 || blocks >= 2 * threads.count()) {
      threads.run(blocks, [&](size_t block) {
        Scratch& own = scratch;
        own.ensure(block_rows * row_words(), block_rows * few_strips * strip_columns, block_rows);
        prepare(run, own, block * block_rows, 0, rows_of(block));
        products(run, own, own, block * block_rows, 0, rows_of(block), 0, strips_);
      });
      return;
    }
    Scratch& shared = scratch;
    shared.ensure(run.rows * row_words(), 0, run.rows);
    threads.run(blocks, [&](size_t block) {
      prepare(run, shared, block * block_rows, block * block_rows, rows_of(block));
    });
    const size_t shares = (strips_ + share_strips - 1) / share_strips;
    threads.run(blocks * shares, [&](size_t index) {
      const size_t block = index / shares, first = index % shares * share_strips;
      Scratch& own = scratch;
      own.ensure(0, block_rows * few_strips * strip_columns, 0);
      products(run, shared, own, block * block_rows, block * block_rows, rows_of(block), first,
               std::min(first + share_strips, strips_));
    });
  }

 private:
  // Where an output stands: gates and values in turn, sixteen at a time.
  size_t column_of(size_t output) const {
    if (!gated_) return output;
    const size_t at = output % width_;
    return at / strip_columns * 2 * strip_columns + (output < width_ ? 0 : strip_columns) +
           at % strip_columns;
  }

  void pack(const float* row, size_t column) {
    auto* line = reinterpret_cast<std::byte*>(packed_.data()) + column / strip_columns * strip_bytes() +
                 column % strip_columns * 4;
    const auto put = [&](size_t index, size_t a_line, auto number) {
      std::memcpy(line + index / a_line * line_bytes + index % a_line * sizeof(number), &number,
                  sizeof(number));
    };
    switch (precision_) {
      case Precision::f32:
        for (size_t k = 0; k < inputs_; ++k) put(k, 1, row[k]);
        return;
      case Precision::bf16:
        for (size_t k = 0; k < inputs_; ++k) put(k, 2, to_bf16(row[k]));
        return;
      case Precision::int8: {
        float most = 0;
        for (size_t k = 0; k < inputs_; ++k) most = std::max(most, std::abs(row[k]));
        const float inverse = most > 0 ? 127.0F / most : 0.0F;
        int32_t sum = 0;
        for (size_t k = 0; k < inputs_; ++k) {
          const auto byte =
              static_cast<int8_t>(std::clamp(std::nearbyint(row[k] * inverse), -127.0F, 127.0F));
          sum += byte;
          put(k, 4, byte);
        }
        scales_.data()[column] = most / 127.0F;
        weight_sums_[column] = sum;
        return;
      }
    }
  }

  size_t strip_bytes() const { return steps_ * line_bytes; }
  size_t row_words() const { return steps_ * kernel_.words_a_step + row_gap_words; }

  // Rows [row, row + rows) of the run into `own` from row `at`.
  void prepare(const LinearRun& run, Scratch& own, size_t row, size_t at, size_t rows) const {
    PrepareJob job;
    job.in_stride = run.in_stride != 0 ? run.in_stride : inputs_;
    job.in = run.in + row * job.in_stride;
    job.rows = rows;
    job.k = inputs_;
    job.steps = steps_;
    job.row_words = row_words();
    job.out = reinterpret_cast<uint32_t*>(own.words.data()) + at * job.row_words;
    job.scales = own.scales.data() + at;
    job.zeros = own.zeros.data() + at;
    kernel_.prepare(job);
  }

  void products(const LinearRun& run, const Scratch& prepared, Scratch& own, size_t row, size_t at,
                size_t rows, size_t first, size_t last) const {
    const size_t group = rows <= few_rows ? few_strips : many_strips;
    SumsJob sums;
    sums.row_words = row_words();
    sums.rows = reinterpret_cast<const uint32_t*>(prepared.words.data()) + at * sums.row_words;
    sums.row_count = rows;
    sums.strip_bytes = strip_bytes();
    sums.steps = steps_;
    sums.sums = own.sums.data();
    FinishJob finish;
    finish.sums = sums.sums;
    finish.rows = rows;
    if (precision_ == Precision::int8) {
      finish.row_scales = prepared.scales.data() + at;
      finish.row_zeros = prepared.zeros.data() + at;
    }
    finish.activation = run.activation;
    finish.gated = gated_;
    finish.out_stride = run.out_stride != 0 ? run.out_stride : width_;
    for (size_t strip = first; strip < last; strip += group) {
      sums.strip_count = std::min(group, last - strip);
      sums.strips = reinterpret_cast<const std::byte*>(packed_.data()) + strip * strip_bytes();
      sums.sums_stride = finish.sums_stride = sums.strip_count * strip_columns;
      kernel_.sums(sums);
      const size_t from = strip * strip_columns, column = gated_ ? from / 2 : from;
      finish.columns = std::min(sums.sums_stride / (gated_ ? 2 : 1), width_ - column);
      finish.bias = bias_.data() + from;
      if (precision_ == Precision::int8) {
        finish.column_scales = scales_.data() + from;
        finish.weight_sums = weight_sums_.data() + from;
      }
      finish.out = run.out + row * finish.out_stride + column;
      finish.addend = run.addend == nullptr ? nullptr : run.addend + row * finish.out_stride + column;
      kernel_.finish(finish);
    }
  }

  const ProductKernel& kernel_;
  const Precision precision_;
  const size_t inputs_, width_;
  const bool gated_;
  const size_t steps_, strips_;
  Floats packed_, bias_, scales_;
  std::vector<int32_t> weight_sums_;
};

}  // namespace

std::unique_ptr<const Linear> make_linear(const LinearWeights& weights, Compute compute) {
  CHECK(weights.layout == OutputLayout::plain || weights.outputs % 2 == 0);
  CHECK(weights.weight.size() == weights.outputs * weights.inputs);
  CHECK(weights.bias.empty() || weights.bias.size() == weights.outputs);
  return std::make_unique<PackedLayer>(weights, compute);
}

}  // namespace holdfast::tensor
