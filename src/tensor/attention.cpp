#include "tensor/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "tensor/attend_job.h"
#include "tensor/buffer.h"
#include "tensor/kernels.h"
#include "tensor/work_watch.h"

namespace holdfast::tensor {
namespace {

// Scores held at a time: 32 KiB, so that they stay in the first-level cache.
constexpr size_t scores_most = 8 << 10;
constexpr size_t rows_most = 96;
constexpr size_t row_gap_words = 16;
constexpr float lowest = -std::numeric_limits<float>::infinity();

size_t round_up(size_t count, size_t to) { return (count + to - 1) / to * to; }

// Memory of one thread, kept between calls.
struct Scratch {
  Floats keys, values, queries, scores, weights, sums, totals;
};
thread_local Scratch scratch;

float* ensure(Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = Floats(count);
  return buffer.data();
}

// The heads that read one key head of one sequence. Scores are sums over the head's width and outputs sums
// over the keys from position 0, each in one order; a key that is not seen adds zero. So a query's bits
// depend on its sequence up to the last key it sees.
class HeadAttention {
 public:
  HeadAttention(const Attention& job, const ProductKernel& kernel, AttendKernel together, Precision precision,
                size_t sequence, size_t key_head)
      : job_(job),
        kernel_(kernel),
        together_(together),
        sequence_(sequence),
        key_head_(key_head),
        query_first_(job.query_starts[sequence]),
        queries_(job.query_starts[sequence + 1] - query_first_),
        key_first_(job.key_starts[sequence]),
        keys_(job.key_starts[sequence + 1] - key_first_),
        value_width_(job.value_width != 0 ? job.value_width : job.head_width),
        a_step_(precision == Precision::f32 ? 1 : 2),
        steps_(round_up((job.head_width + a_step_ - 1) / a_step_, 16)),
        width_(round_up(keys_, 2 * strip_columns)),
        key_steps_(width_ / a_step_),
        value_strips_(round_up(value_width_, 2 * strip_columns) / strip_columns),
        halves_(job.query_halves != nullptr),
        in_place_(precision == Precision::f32 && value_width_ % (2 * strip_columns) == 0),
        pages_(job.page_shape == nullptr ? Attention::Pages{} : job.pages[sequence]) {}

  // Heads [first, last) of all.
  void run(size_t first, size_t last) {
    if (queries_ == 0) return;
    CHECK(keys_ >= queries_);
    if (job_.page_shape == nullptr) pack();
    if (together_ != nullptr && job_.page_shape == nullptr) {
      for (size_t head = first; head < last; ++head) together(head);
      return;
    }
    const size_t tile = kernel_.product != nullptr ? 32 : 12;  // Rows that its sums take at once.
    const size_t rows = std::clamp<size_t>(scores_most / width_ / tile * tile, tile, rows_most);
    const size_t heads = last - first;
    if (job_.page_shape != nullptr && heads * queries_ <= rows) {
      reserve(heads * queries_);
      return block(first, heads, 0, queries_);
    }
    reserve(std::min(rows, queries_));
    for (size_t head = first; head < last; ++head)
      for (size_t row = 0; row < queries_; row += rows) block(head, 1, row, std::min(rows, queries_ - row));
  }

 private:
  void reserve(size_t rows) const {
    ensure(scratch.queries, rows * query_words());
    ensure(scratch.scores, rows * width_);
    ensure(scratch.weights, rows * weight_words());
    ensure(scratch.sums, rows * value_strips_ * strip_columns);
    ensure(scratch.totals, rows);
  }

  size_t query_words() const { return steps_ * kernel_.words_a_step + row_gap_words; }
  size_t weight_words() const { return key_steps_ * kernel_.words_a_step + row_gap_words; }

  void pack() const {
    PackJob keys;
    keys.in_stride = job_.key_stride;
    keys.columns = job_.head_width;
    keys.steps = steps_;
    keys.out = reinterpret_cast<std::byte*>(ensure(scratch.keys, width_ * steps_));
    for (size_t from = 0; from < width_; from += strip_columns, keys.out += steps_ * line_bytes) {
      keys.rows = from < keys_ ? std::min(strip_columns, keys_ - from) : 0;
      const size_t at = (key_first_ + std::min(from, keys_)) * job_.key_stride + key_head_ * job_.head_width;
      if (halves_)
        keys.halves = job_.key_halves + at;
      else
        keys.in = job_.key + at;
      kernel_.pack_transposed(keys);
    }
    if (in_place_) return;
    PackJob values;
    const size_t at = key_first_ * job_.value_stride + key_head_ * value_width_;
    if (halves_)
      values.halves = job_.value_halves + at;
    else
      values.in = job_.value + at;
    values.in_stride = job_.value_stride;
    values.rows = keys_;
    values.columns = value_width_;
    values.steps = key_steps_;
    values.strip_bytes = key_steps_ * line_bytes;
    const size_t floats = value_strips_ * key_steps_ * strip_columns;
    values.out = reinterpret_cast<std::byte*>(ensure(scratch.values, floats));
    if (value_strips_ * strip_columns >=
        value_width_ + strip_columns)  // A strip that the job does not reach.
      std::fill_n(scratch.values.data() + floats - key_steps_ * strip_columns, key_steps_ * strip_columns,
                  0.0F);
    kernel_.pack_rows(values);
  }

  class HeadScores final : public ScoreChange {
   public:
    HeadScores(const HeadAttention& of, size_t head) : of_(of), head_(head) {}
    size_t seen(size_t row, size_t rows) const override { return of_.seen(row, rows); }
    float change(size_t row, size_t rows, size_t seen, float* scores, size_t stride) const override {
      return of_.change(head_, row, rows, seen, scores, stride);
    }

   private:
    const HeadAttention& of_;
    const size_t head_;
  };

  void together(size_t head) const {
    const HeadScores scores(*this, head);
    AttendJob job;
    job.rows = queries_;
    if (halves_) {
      job.queries = reinterpret_cast<const uint32_t*>(job_.query_halves + query_first_ * job_.query_stride +
                                                      head * job_.head_width);
      job.row_words = job_.query_stride / 2;
    } else {
      ensure(scratch.queries, queries_ * query_words());
      prepare(head, 1, 0, queries_);
      job.queries = reinterpret_cast<const uint32_t*>(scratch.queries.data());
      job.row_words = query_words();
    }
    job.steps = steps_;
    job.keys = reinterpret_cast<const std::byte*>(scratch.keys.data());
    job.keys_wide = width_;
    job.values = reinterpret_cast<const std::byte*>(scratch.values.data());
    job.value_bytes = key_steps_ * line_bytes;
    job.value_strips = value_strips_;
    job.scores = &scores;
    job.sink = job_.sinks == nullptr ? nullptr : job_.sinks + head;
    job.share.columns = value_width_;
    if (job_.words != nullptr) {
      job.share.words = job_.words + query_first_ * job_.row_words;
      job.share.row_words = job_.row_words;
      job.share.word_from = head * value_width_;
    } else {
      job.share.out_stride = job_.out_stride;
      job.share.out = job_.out + query_first_ * job_.out_stride + head * value_width_;
    }
    job.memory = ensure(scratch.scores, attend_floats(width_, value_strips_));
    together_(job);
  }

  // Keys that none of these queries sees are left out at the end: they would add zeros.
  size_t seen(size_t row, size_t rows) const {
    const size_t last = keys_ - queries_ + row + rows - 1;
    return job_.after < keys_ - 1 - last ? last + job_.after + 1 : keys_;
  }

  // Queries [row, row + rows) of some heads beside each other: a row a head and query.
  void block(size_t head, size_t heads, size_t row, size_t rows) const {
    const size_t seen = this->seen(row, rows);
    const size_t wide = round_up(seen, 2 * strip_columns);

    SumsJob sums;
    if (halves_) {
      sums.rows = reinterpret_cast<const uint32_t*>(
          job_.query_halves + (query_first_ + row) * job_.query_stride + head * job_.head_width);
      sums.row_words = job_.query_stride / 2;
    } else {
      prepare(head, heads, row, rows);
      sums.rows = reinterpret_cast<const uint32_t*>(scratch.queries.data());
      sums.row_words = query_words();
    }
    sums.row_count = heads * rows;
    sums.steps = steps_;
    sums.strip_bytes = steps_ * line_bytes;
    sums.sums_stride = width_;
    score(sums, wide);

    WeighJob weigh;
    weigh.stride = width_;
    weigh.rows = rows;
    weigh.keys = seen;
    weigh.row_words = weight_words();
    weigh.steps = in_place_ ? seen : wide / a_step_;
    for (size_t i = 0; i < heads; ++i) {
      float* scores = scratch.scores.data() + i * rows * width_;
      weigh.scale = change(head + i, row, rows, seen, scores, width_);
      weigh.scores = scores;
      weigh.sink = job_.sinks == nullptr ? nullptr : job_.sinks + head + i;
      weigh.words = reinterpret_cast<uint32_t*>(scratch.weights.data()) + i * rows * weigh.row_words;
      weigh.totals = scratch.totals.data() + i * rows;
      kernel_.weigh(weigh);
    }

    sums.rows = reinterpret_cast<const uint32_t*>(scratch.weights.data());
    sums.row_words = weigh.row_words;
    sums.strip_count = value_strips_;
    sums.steps = weigh.steps;
    sums.sums = scratch.sums.data();
    sums.sums_stride = value_strips_ * strip_columns;
    collect(sums, seen);
    for (size_t i = 0; i < heads; ++i) {
      ShareJob share;
      share.sums_stride = sums.sums_stride;
      share.sums = scratch.sums.data() + i * rows * share.sums_stride;
      share.rows = rows;
      share.columns = value_width_;
      share.totals = scratch.totals.data() + i * rows;
      const size_t first = query_first_ + row;
      if (job_.words != nullptr) {
        share.words = job_.words + first * job_.row_words;
        share.row_words = job_.row_words;
        share.word_from = (head + i) * value_width_;
      }
      if (job_.words == nullptr || a_step_ == 1) {  // Words of f32 are floats.
        float* out = job_.words == nullptr ? job_.out : reinterpret_cast<float*>(job_.words);
        share.out_stride = job_.words == nullptr ? job_.out_stride : job_.row_words;
        share.out = out + first * share.out_stride + (head + i) * value_width_;
        share.words = nullptr;
      }
      kernel_.share(share);
    }
  }

  // Queries as the product reads them.
  void prepare(size_t head, size_t heads, size_t row, size_t rows) const {
    PrepareJob job;
    job.in = job_.query + (query_first_ + row) * job_.query_stride + head * job_.head_width;
    job.in_stride = job_.query_stride;
    job.rows = rows;
    job.k = job_.head_width;
    job.steps = steps_;
    job.out = reinterpret_cast<uint32_t*>(scratch.queries.data());
    job.row_words = query_words();
    for (size_t i = 0; i < heads; ++i) {
      kernel_.prepare(job);
      job.in += job_.head_width;
      job.out += rows * job.row_words;
    }
  }

  // Of the outputs' sums over so many keys: those of pairs come in whole lines.
  size_t sums_steps(size_t keys) const {
    return a_step_ == 1 ? keys : round_up(keys, 2 * strip_columns) / a_step_;
  }

  const float* page_head(size_t page) const {
    return pages_[page] + key_head_ * job_.page_shape->head_floats();
  }

  // Scores of the first `wide` keys.
  void score(SumsJob sums, size_t wide) const {
    if (job_.page_shape == nullptr || kernel_.reads_pages) {
      sums.strips = reinterpret_cast<const std::byte*>(scratch.keys.data());
      sums.strip_count = wide / strip_columns;
      sums.sums = scratch.scores.data();
      if (job_.page_shape != nullptr)
        sums.pages = {pages_.data(), key_head_ * job_.page_shape->head_floats(), page_tokens / strip_columns,
                      0};
      return kernel_.sums(sums);
    }
    sums.strip_count = page_tokens / strip_columns;
    for (size_t from = 0; from < wide; from += page_tokens) {
      sums.strips = reinterpret_cast<const std::byte*>(page_head(from / page_tokens));
      sums.sums = scratch.scores.data() + from;
      kernel_.sums(sums);
    }
  }

  // Values of the first `seen` keys by their weights.
  void collect(SumsJob sums, size_t seen) const {
    if (job_.page_shape != nullptr) {
      const PageShape& shape = *job_.page_shape;
      const uint32_t* rows = sums.rows;
      sums.strip_bytes = shape.value_steps() * line_bytes;
      if (kernel_.reads_pages) {
        sums.pages = {pages_.data(), key_head_ * shape.head_floats() + shape.key_floats(), 0,
                      shape.value_steps()};
        return kernel_.sums(sums);
      }
      for (size_t from = 0; from < seen; from += page_tokens) {
        sums.rows = rows + from / a_step_;
        sums.steps = std::min(shape.value_steps(), sums_steps(seen - from));
        sums.strips = reinterpret_cast<const std::byte*>(page_head(from / page_tokens) + shape.key_floats());
        kernel_.sums(sums);
        sums.begin = SumsJob::Begin::at_sums;
      }
      return;
    }
    if (in_place_) {
      sums.strips = reinterpret_cast<const std::byte*>(job_.value + key_first_ * job_.value_stride +
                                                       key_head_ * value_width_);
      sums.strip_bytes = line_bytes;
      sums.line_stride = job_.value_stride * sizeof(float);
    } else {
      sums.strips = reinterpret_cast<const std::byte*>(scratch.values.data());
      sums.strip_bytes = key_steps_ * line_bytes;
    }
    kernel_.sums(sums);
  }

  // Caps, biases and masks the scores; returns the scale that is left to apply.
  float change(size_t head, size_t row, size_t rows, size_t seen, float* scores, size_t stride) const {
    const AttentionBias& bias = job_.bias;
    const bool biased = bias.by_distance != nullptr || bias.add || job_.soft_cap > 0 || job_.sinks != nullptr;
    if (biased) {
      for (size_t r = 0; r < rows; ++r)
        for (size_t k = 0; k < seen; ++k)
          scores[r * stride + k] = capped(scores[r * stride + k] * job_.scale);
      if (bias.by_distance != nullptr)
        for (size_t r = 0; r < rows; ++r) add_distances(scores + r * stride, head, position(row + r), seen);
      if (bias.add) bias.add({sequence_, head, row, rows, seen, scores, stride});
    }
    if (job_.before != Attention::everything || job_.after != Attention::everything)
      for (size_t r = 0; r < rows; ++r) mask(scores + r * stride, position(row + r), seen);
    return biased ? 1 : job_.scale;
  }

  size_t position(size_t query) const { return keys_ - queries_ + query; }
  float capped(float score) const {
    return job_.soft_cap > 0 ? job_.soft_cap * std::tanh(score / job_.soft_cap) : score;
  }

  void mask(float* scores, size_t position, size_t seen) const {
    if (position > job_.before) std::fill(scores, scores + std::min(seen, position - job_.before), lowest);
    if (job_.after < seen && position + job_.after + 1 < seen)
      std::fill(scores + position + job_.after + 1, scores + seen, lowest);
  }

  void add_distances(float* scores, size_t head, size_t position, size_t seen) const {
    const float* table = job_.bias.by_distance + head * (2 * job_.bias.reach + 1);
    const auto reach = static_cast<int64_t>(job_.bias.reach);
    for (size_t k = 0; k < seen; ++k) {
      const int64_t distance = static_cast<int64_t>(k) - static_cast<int64_t>(position);
      scores[k] += table[std::clamp(distance, -reach, reach) + reach];
    }
  }

  const Attention& job_;
  const ProductKernel& kernel_;
  const AttendKernel together_;  // Instead of its parts; may be null.
  const size_t sequence_, key_head_, query_first_, queries_, key_first_, keys_, value_width_;
  const size_t a_step_;     // Numbers of the head's width, or keys, that one step takes.
  const size_t steps_;      // Of the scores' sums.
  const size_t width_;      // Of a row of scores.
  const size_t key_steps_;  // Of the outputs' sums.
  const size_t value_strips_;
  const bool halves_;    // Read instead of floats.
  const bool in_place_;  // Values are read where they are: their rows are lines already.
  const Attention::Pages pages_;
};

// Pairs of a query and a key that it sees.
double pairs_seen(const Attention& attention) {
  double out = 0;
  for (size_t i = 0; i + 1 < attention.query_starts.size(); ++i) {
    const size_t queries = attention.query_starts[i + 1] - attention.query_starts[i],
                 keys = attention.key_starts[i + 1] - attention.key_starts[i];
    for (size_t query = 0; query < queries; ++query) {
      const size_t at = keys - queries + query, past = std::min(at, attention.before);
      out += static_cast<double>(past + 1 + std::min(keys - 1 - at, attention.after));
    }
  }
  return out;
}

}  // namespace

void attend(const Attention& attention, Compute compute, Threads& threads) {
  if (work_watch != nullptr) {
    const size_t values = attention.value_width > 0 ? attention.value_width : attention.head_width;
    const size_t each = 2 * attention.heads * (attention.head_width + values);
    work_watch->worked(static_cast<double>(each) * pairs_seen(attention), nullptr, 0);
  }
  CHECK(attention.query_starts.size() == attention.key_starts.size());
  CHECK(attention.page_shape == nullptr ||
        (attention.page_shape->pairs == (compute.precision != Precision::f32) &&
         attention.pages.size() + 1 == attention.query_starts.size()));
  CHECK(attention.key_heads > 0 && attention.heads % attention.key_heads == 0);
  CHECK(attention.words == nullptr || compute.precision != Precision::int8);
  // Scores and weights of int8 models are bf16: bytes would not do for softmax.
  const Precision precision = compute.precision == Precision::f32 ? Precision::f32 : Precision::bf16;
  const ProductKernel& kernel = kernels_for(compute.isa).products[static_cast<size_t>(precision)];
  const AttendKernel together = precision == Precision::f32 ? nullptr : attend_kernel(compute.isa);
  CHECK(attention.page_shape == nullptr || !attention.page_shape->pairs || takes_halves(compute.isa));
  CHECK(attention.query_halves == nullptr ||
        (precision == Precision::bf16 && takes_halves(compute.isa) && attention.head_width % 32 == 0 &&
         attention.value_width % 32 == 0 && attention.query_stride % 2 == 0 &&
         attention.key_stride % 2 == 0 && attention.value_stride % 2 == 0));
  const size_t sequences = attention.query_starts.size() - 1, group = attention.heads / attention.key_heads;
  // Heads that read the same keys share their packed form, unless there are few of those and many queries.
  const bool few_queries = attention.query_starts.back() - attention.query_starts.front() <= 4 * sequences;
  const size_t each = few_queries || sequences * attention.key_heads >= 2 * threads.count() ? group : 1;
  const size_t units = attention.heads / each;
  threads.run(sequences * units, [&](size_t index) {
    const size_t first = index % units * each;
    HeadAttention(attention, kernel, together, precision, index / units, first / group)
        .run(first, first + each);
  });
}

}  // namespace holdfast::tensor
