#include "tensor/linear.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "tensor/buffer.h"
#include "tensor/kept_floats.h"
#include "tensor/kernels.h"
#include "tensor/work_watch.h"

namespace holdfast::tensor {
namespace {

// Rows that meet one group of strips before the next: they stay in the second-level cache.
constexpr size_t block_rows_most = 144;
// Where sums and what follows are one, each strip stays in the first-level cache while all rows pass by.
constexpr size_t product_rows_most = 512;
// Where wide floats are put aside to become bytes: they stay in the second-level cache.
constexpr size_t aside_rows_most = 96;
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

float* ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count);
  return buffer.data();
}

// int8: what inputs are divided by and their weights multiplied with. The ratio of the two's greatest numbers
// is shared by both, as powers of two, which round nothing.
std::vector<float> shares_of(const LinearWeights& weights) {
  constexpr float most = 6;
  std::vector<float> ratios(weights.inputs, NAN), out(weights.inputs, 1.0F);
  std::vector<float> known;
  for (size_t k = 0; k < weights.inputs; ++k) {
    float peak = 0;
    for (size_t output = 0; output < weights.outputs; ++output)
      peak = std::max(peak, std::abs(weights.weight[output * weights.inputs + k]));
    const float ratio = std::log2(weights.peaks[k] / peak) / 2;
    if (!std::isfinite(ratio)) continue;
    ratios[k] = ratio;
    known.push_back(ratio);
  }
  if (known.empty()) return out;
  const auto middle = known.begin() + static_cast<ptrdiff_t>(known.size() / 2);
  std::nth_element(known.begin(), middle, known.end());
  for (size_t k = 0; k < weights.inputs; ++k)
    if (!std::isnan(ratios[k]))
      out[k] = std::exp2(std::clamp(std::nearbyint(ratios[k] - *middle), -most, most));
  return out;
}

// Memory of one thread, kept between calls.
struct Scratch {
  ReadyRows ready;
  Floats sums, out, normal;
};
thread_local Scratch scratch;

class PackedLayer final : public Linear {
 public:
  PackedLayer(const LinearWeights& weights, Compute compute)
      : PackedLayer({weights.outputs, weights.inputs, weights.layout}, compute,
                    compute.precision == Precision::int8 && !weights.peaks.empty()) {
    own_ = KeptFloats(words());
    std::memset(own_.data(), 0, own_.size() * sizeof(float));
    borrow({own_.data(), own_.size()});
    std::vector<float> shares;
    if (has_factors_) shares = shares_of(weights);
    for (size_t k = 0; k < shares.size(); ++k) own_.data()[factors_at() + k] = 1 / shares[k];
    for (size_t output = 0; output < weights.outputs; ++output) {
      const size_t column = column_of(output);
      if (!weights.bias.empty()) own_.data()[bias_at() + column] = weights.bias[output];
      const float* row = weights.weight.data() + output * inputs_;
      std::vector<float> scaled;
      for (size_t k = 0; k < shares.size(); ++k) scaled.push_back(row[k] * shares[k]);
      pack(has_factors_ ? scaled.data() : row, column,
           has_factors_ || weights.scales.empty() ? 0 : weights.scales[output]);
    }
  }
  PackedLayer(const LinearShape& shape, Compute compute, bool has_factors)
      : kernels_(&kernels_for(compute.isa)),
        kernel_(kernels_->products[static_cast<size_t>(compute.precision)]),
        precision_(compute.precision),
        inputs_(shape.inputs),
        width_(shape.layout == OutputLayout::gated ? shape.outputs / 2 : shape.outputs),
        gated_(shape.layout == OutputLayout::gated),
        steps_(steps_of(compute.precision, shape.inputs)),
        strips_(gated_ ? round_up(width_, strip_columns) / strip_columns * 2
                       : round_up(width_, 2 * strip_columns) / strip_columns),
        has_factors_(has_factors) {}

  size_t words() const { return factors_at() + (has_factors_ ? inputs_ : 0); }
  void borrow(std::span<const float> packed) { numbers_ = packed.data(); }
  std::span<const float> packed() const override { return {numbers_, words()}; }

  size_t inputs() const override { return inputs_; }
  size_t width() const override { return width_; }
  size_t bytes() const override { return own_.size() * sizeof(float); }

  size_t row_words() const override { return steps_ * kernel_.words_a_step + row_gap_words; }
  const ProductKernel* kernel() const override { return &kernel_; }
  bool writes_for(const Linear& reader) const override {
    // Whole words, as many as the reader takes.
    return reader.kernel() == &kernel_ && precision_ != Precision::int8 && reader.inputs() == width_ &&
           (precision_ == Precision::f32 || width_ % (2 * strip_columns) == 0);
  }

  bool writes_halves() const override {
    return precision_ != Precision::f32 && width_ % (2 * strip_columns) == 0 && takes_halves(kernels_->isa);
  }

  void make_ready(const float* in, size_t in_stride, size_t row, size_t rows, ReadyRows& out) const override {
    PrepareJob job;
    job.in = in;
    job.in_stride = in_stride;
    job.rows = rows;
    job.k = inputs_;
    job.steps = steps_;
    job.row_words = row_words();
    job.out = reinterpret_cast<uint32_t*>(out.words.data()) + row * job.row_words;
    job.scales = out.scales.data() + row;
    job.shifts = out.shifts.data() + row;
    job.factors = has_factors_ ? numbers_ + factors_at() : nullptr;
    kernel_.prepare(job);
  }

  void run(const LinearRun& wish, Threads& threads) const override {
    if (wish.rows == 0 || width_ == 0) return;
    if (work_watch != nullptr)
      work_watch->worked(2.0 * static_cast<double>(wish.rows * inputs_ * (gated_ ? 2 * width_ : width_)),
                         this, words() * sizeof(float));
    LinearRun run = wish;
    if (run.in_stride == 0) run.in_stride = inputs_;
    if (run.out_stride == 0) run.out_stride = width_;
    CHECK(run.halves == nullptr || (writes_halves() && run.norm == nullptr && run.reader == nullptr));
    CHECK(run.out != nullptr || run.halves != nullptr ||
          (run.reader != nullptr && run.norm == nullptr && run.addend == nullptr));
    // Blocks as even as can be, in whole tiles of twelve rows.
    const bool puts_aside = run.out == nullptr && run.halves == nullptr && !writes_for(*run.reader);
    const size_t most = kernel_.product == nullptr ? block_rows_most
                        : puts_aside               ? aside_rows_most
                                                   : product_rows_most;
    const size_t least = (run.rows + most - 1) / most;
    const size_t block_rows = round_up((run.rows + least - 1) / least, kernel_.product != nullptr ? 32 : 12);
    const size_t blocks = (run.rows + block_rows - 1) / block_rows;
    const auto rows_of = [&](size_t block) { return std::min(block_rows, run.rows - block * block_rows); };
    if (threads.count() == 1 || blocks >= 2 * threads.count()) {
      threads.run(blocks, [&](size_t block) {
        Scratch& own = scratch;
        const size_t row = block * block_rows, rows = rows_of(block);
        Source source{run.ready, row};
        if (run.ready == nullptr) {
          own.ready.ensure(*this, rows);
          make_ready(run.in + row * run.in_stride, run.in_stride, 0, rows, own.ready);
          source = {&own.ready, 0};
        }
        Target target = target_of(run, own.out, row, rows);
        products(run, source, target, row, rows, 0, strips_);
        follow(run, target, row, rows);
      });
      return;
    }
    Scratch& shared = scratch;
    const ReadyRows* ready = run.ready;
    if (ready == nullptr) {
      shared.ready.ensure(*this, run.rows);
      threads.run(blocks, [&](size_t block) {
        const size_t row = block * block_rows;
        make_ready(run.in + row * run.in_stride, run.in_stride, row, rows_of(block), shared.ready);
      });
      ready = &shared.ready;
    }
    const Target whole = target_of(run, shared.out, 0, run.rows);
    const size_t shares = (strips_ + share_strips - 1) / share_strips;
    threads.run(blocks * shares, [&](size_t index) {
      const size_t block = index / shares, first = index % shares * share_strips, row = block * block_rows;
      products(run, {ready, row}, whole.from(row), row, rows_of(block), first,
               std::min(first + share_strips, strips_));
    });
    if (run.norm == nullptr && (run.reader == nullptr || whole.words != nullptr)) return;
    const size_t each = std::max<size_t>(1, block_rows / 4), parts = (run.rows + each - 1) / each;
    threads.run(parts, [&](size_t part) {
      const size_t row = part * each;
      follow(run, whole.from(row), row, std::min(each, run.rows - row));
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

  // scale: of its bytes, 0 where it is to be found.
  void pack(const float* row, size_t column, float scale) {
    auto* line = reinterpret_cast<std::byte*>(own_.data()) + column / strip_columns * strip_bytes() +
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
        float most = scale * 127.0F;
        for (size_t k = 0; k < inputs_ && scale == 0; ++k) most = std::max(most, std::abs(row[k]));
        const float inverse = most > 0 ? 127.0F / most : 0.0F;
        int32_t sum = 0;
        for (size_t k = 0; k < inputs_; ++k) {
          const auto byte =
              static_cast<int8_t>(std::clamp(std::nearbyint(row[k] * inverse), -127.0F, 127.0F));
          sum += byte;
          put(k, 4, byte);
        }
        own_.data()[scales_at() + column] = most / 127.0F;
        own_.data()[sums_at() + column] = static_cast<float>(sum) * (most / 127.0F);
        return;
      }
    }
  }

  size_t strip_bytes() const { return steps_ * line_bytes; }
  // Places among the numbers.
  size_t bias_at() const { return strips_ * strip_bytes() / sizeof(float); }
  size_t scales_at() const { return bias_at() + strips_ * strip_columns; }
  size_t sums_at() const { return scales_at() + strips_ * strip_columns; }
  size_t factors_at() const {
    return precision_ == Precision::int8 ? sums_at() + strips_ * strip_columns : scales_at();
  }

  // Ready rows from `row` on.
  struct Source {
    const ReadyRows* rows = nullptr;
    size_t row = 0;
  };
  // Where a block's outputs go: rows of floats or ready rows of bf16.
  struct Target {
    float* out = nullptr;
    size_t out_stride = 0;
    uint32_t* words = nullptr;
    size_t row_words = 0;
    Target from(size_t row) const {
      Target later = *this;
      if (later.out != nullptr) later.out += row * out_stride;
      if (later.words != nullptr) later.words += row * row_words;
      return later;
    }
  };

  // `kept`: memory for outputs that nobody asked for as floats.
  Target target_of(const LinearRun& run, Floats& kept, size_t row, size_t rows) const {
    Target out;
    if (run.halves != nullptr) {
      out.row_words = width_ / 2;
      out.words = reinterpret_cast<uint32_t*>(run.halves) + row * out.row_words;
      return out;
    }
    if (run.out != nullptr) {
      out.out = run.out + row * run.out_stride;
      out.out_stride = run.out_stride;
      return out;
    }
    if (!writes_for(*run.reader)) {
      out.out = ensure(kept, rows * width_);
      out.out_stride = width_;
      return out;
    }
    out.row_words = run.reader->row_words();
    auto* words = reinterpret_cast<uint32_t*>(run.next->words.data()) + row * out.row_words;
    if (precision_ == Precision::f32) {
      out.out = reinterpret_cast<float*>(words);
      out.out_stride = out.row_words;
    }
    out.words = words;
    return out;
  }

  void products(const LinearRun& run, Source source, const Target& target, size_t row, size_t rows,
                size_t first, size_t last) const {
    const size_t group = rows <= few_rows ? few_strips : many_strips;
    SumsJob sums;
    sums.row_words = row_words();
    sums.rows = reinterpret_cast<const uint32_t*>(source.rows->words.data()) + source.row * sums.row_words;
    sums.strip_bytes = strip_bytes();
    sums.steps = steps_;
    FinishJob finish;
    if (precision_ == Precision::int8) {
      finish.row_scales = source.rows->scales.data() + source.row;
      finish.row_shifts = source.rows->shifts.data() + source.row;
    }
    finish.activation = run.activation;
    finish.gated = gated_;
    finish.out_stride = target.out_stride;
    finish.row_words = target.row_words;
    const float* addend = run.addend == nullptr ? nullptr : run.addend + row * run.out_stride;
    if (kernel_.product != nullptr) return product(sums, finish, target, addend, rows, first, last);
    finish.sums = sums.sums = ensure(scratch.sums, rows * group * strip_columns);
    for (size_t strip = first; strip < last; strip += group) {
      sums.strip_count = std::min(group, last - strip);
      sums.strips = reinterpret_cast<const std::byte*>(numbers_) + strip * strip_bytes();
      sums.sums_stride = finish.sums_stride = sums.strip_count * strip_columns;
      sums.next_lines = std::min(group, last - strip - sums.strip_count) * steps_;
      sums.next = sums.next_lines > 0 ? sums.strips + sums.strip_count * strip_bytes() : nullptr;
      set_columns(finish, strip, sums.strip_count);
      tiles(sums, finish, target, addend == nullptr ? nullptr : addend + finish.word_from, rows);
    }
  }

  // What strips [first, first + count) become columns by.
  void set_columns(FinishJob& finish, size_t first, size_t count) const {
    const size_t from = first * strip_columns, column = gated_ ? from / 2 : from;
    finish.columns = std::min(count * strip_columns / (gated_ ? 2 : 1), width_ - column);
    finish.bias = numbers_ + bias_at() + from;
    if (precision_ == Precision::int8) {
      finish.column_scales = numbers_ + scales_at() + from;
      finish.weight_sums = numbers_ + sums_at() + from;
    }
    finish.word_from = column;
  }

  // All strips at once, where multiplying and finishing go on beside each other.
  void product(SumsJob sums, FinishJob finish, const Target& target, const float* addend, size_t rows,
               size_t first, size_t last) const {
    set_columns(finish, first, last - first);
    sums.row_count = finish.rows = rows;
    sums.strips = reinterpret_cast<const std::byte*>(numbers_) + first * strip_bytes();
    sums.strip_count = last - first;
    if (target.out != nullptr)
      finish.out = target.out + finish.word_from;
    else
      finish.words = target.words;
    if (addend != nullptr) finish.addend = addend + finish.word_from;
    kernel_.product(sums, finish);
  }

  // Tile by tile of rows, each finished while its sums are in the first-level cache. Meanwhile the lines it
  // will write and the strips that come next are fetched, as the weights that stream by push both out of the
  // caches.
  void tiles(SumsJob sums, FinishJob finish, const Target& target, const float* addend, size_t rows) const {
    const uint32_t* first_row = sums.rows;
    const std::byte* next = sums.next;
    const size_t lines = sums.next_lines, column = finish.word_from;
    size_t left = kernel_.tile_rows == 0 ? 1 : (rows + kernel_.tile_rows - 1) / kernel_.tile_rows;
    const size_t count = left;
    for (size_t at = 0; at < rows; --left) {
      const size_t some = (rows - at + left - 1) / left;  // As even as can be: 32 are 11, 11 and 10.
      sums.rows = first_row + at * sums.row_words;
      sums.row_count = finish.rows = some;
      if (next != nullptr) {
        const size_t from = (count - left) * lines / count;
        sums.next = next + from * line_bytes;
        sums.next_lines = (count - left + 1) * lines / count - from;
      }
      if (target.out != nullptr) {
        finish.out = target.out + at * target.out_stride + column;
        for (size_t r = 0; r < some; ++r)
          fetch(finish.out + r * target.out_stride, finish.columns * sizeof(float));
      } else {
        finish.words = target.words + at * target.row_words;
        for (size_t r = 0; r < some; ++r)
          fetch(reinterpret_cast<const uint16_t*>(finish.words + r * target.row_words) +
                    column * kernel_.words_a_step,
                finish.columns * 2 * kernel_.words_a_step);
      }
      if (addend != nullptr) {
        finish.addend = addend + at * finish.out_stride;
        for (size_t r = 0; r < some; ++r)
          fetch(finish.addend + r * finish.out_stride, finish.columns * sizeof(float));
      }
      kernel_.sums(sums);
      kernel_.finish(finish);
      at += some;
      if (finish.row_scales != nullptr) {
        finish.row_scales += some;
        finish.row_shifts += some;
      }
    }
  }

  static void fetch(const void* from, size_t bytes) {
    for (size_t at = 0; at < bytes; at += line_bytes)
      __builtin_prefetch(static_cast<const std::byte*>(from) + at, 1);
  }

  // Norm and readiness of rows [row, row + rows), whose outputs are all there.
  void follow(const LinearRun& run, const Target& target, size_t row, size_t rows) const {
    if (run.norm == nullptr && (run.reader == nullptr || target.words != nullptr)) return;
    if (run.norm == nullptr)
      return run.reader->make_ready(target.out, target.out_stride, row, rows, *run.next);
    NormRun norm;
    norm.in = target.out;
    norm.in_stride = target.out_stride;
    norm.out = run.norm_out == nullptr ? nullptr : run.norm_out + row * run.out_stride;
    norm.out_stride = run.out_stride;
    norm.row = row;
    norm.rows = rows;
    norm.width = width_;
    norm.norm = run.norm;
    norm.reader = run.reader;
    norm.next = run.next;
    normalize_rows(*kernels_, norm);
  }

  const Kernels* kernels_;
  const ProductKernel& kernel_;
  const Precision precision_;
  const size_t inputs_, width_;
  const bool gated_;
  const size_t steps_, strips_;
  const bool has_factors_;
  KeptFloats own_;  // Empty where the numbers are somebody else's.
  // Strips, then biases, and in int8 scales and sums of weights, then the factors of inputs.
  const float* numbers_ = nullptr;
};

}  // namespace

void ReadyRows::ensure(const Linear& reader, size_t rows) {
  CHECK(reader.row_words() > 0);
  tensor::ensure(words, rows * reader.row_words());
  if (scales.size() < rows) scales.resize(rows);
  if (shifts.size() < rows) shifts.resize(rows);
}

bool Linear::writes_for(const Linear& /*reader*/) const { return false; }

void Linear::make_ready(const float* /*in*/, size_t /*in_stride*/, size_t /*row*/, size_t /*rows*/,
                        ReadyRows& /*out*/) const {
  CHECK(row_words() > 0);  // Such a layer has its own.
}

void normalize_rows(const Kernels& kernels, const NormRun& run) {
  constexpr size_t together = 4;  // They stay in the first-level cache between the steps.
  float* kept = run.out == nullptr ? ensure(scratch.normal, together * run.width) : nullptr;
  for (size_t i = 0; i < run.rows; i += together) {
    const size_t rows = std::min(together, run.rows - i);
    const float* ready = run.in + i * run.in_stride;
    size_t stride = run.in_stride;
    if (run.norm != nullptr) {
      LayerNormJob job;
      job.in = ready;
      job.in_stride = run.in_stride;
      job.out = run.out != nullptr ? run.out + i * run.out_stride : kept;
      job.out_stride = stride = run.out != nullptr ? run.out_stride : run.width;
      job.gamma = run.norm->gamma;
      job.beta = run.norm->beta;
      job.rows = rows;
      job.width = run.width;
      job.epsilon = run.norm->epsilon;
      (run.norm->kind == RowNorm::Kind::layer ? kernels.layer_norm : kernels.rms_norm)(job);
      ready = job.out;
    }
    if (run.reader != nullptr) run.reader->make_ready(ready, stride, run.row + i, rows, *run.next);
  }
}

std::unique_ptr<const Linear> make_linear(const LinearWeights& weights, Compute compute) {
  CHECK(weights.layout == OutputLayout::plain || weights.outputs % 2 == 0);
  CHECK(weights.weight.size() == weights.outputs * weights.inputs);
  CHECK(weights.bias.empty() || weights.bias.size() == weights.outputs);
  CHECK(weights.scales.empty() || weights.scales.size() == weights.outputs);
  CHECK(weights.peaks.empty() || weights.peaks.size() == weights.inputs);
  return std::make_unique<PackedLayer>(weights, compute);
}

std::unique_ptr<const Linear> make_packed_linear(std::span<const float> packed, const LinearShape& shape,
                                                 Compute compute) {
  for (const bool has_factors : {false, true}) {
    if (has_factors && (compute.precision != Precision::int8 || shape.inputs == 0)) continue;
    auto layer = std::make_unique<PackedLayer>(shape, compute, has_factors);
    if (layer->words() != packed.size()) continue;
    layer->borrow(packed);
    return layer;
  }
  return nullptr;
}

}  // namespace holdfast::tensor
