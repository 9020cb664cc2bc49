#pragma once

// Attention of one head on AMX: while sixteen rows of scores become weights, tiles multiply the weights
// before them with values and the queries after them with keys, as other units of the processor do it. The
// sums are those of TileSums, step by step. In an unnamed namespace, as the other files of this folder.
#include "tensor/attend_job.h"
#include "tensor/simd/tiles_amx.h"

namespace holdfast::tensor {
namespace {

// Softmax: peak(), row() and of_sink() as in weights_by_table.h.
template <class Tiles, class Softmax, void (*share)(const ShareJob&)>
class TileAttention {
 public:
  static void run(const AttendJob& job) {
    if (job.rows == 0) return;
    TileAttention(job).blocks();
    Tiles::release();
  }

 private:
  explicit TileAttention(const AttendJob& job)
      : job_(job), stride_(job.keys_wide + attend_gap), words_stride_(job.keys_wide / 2 + attend_gap) {
    float* at = job.memory;
    for (size_t i = 0; i < 2; ++i, at += attend_rows * stride_) scores_[i] = at;
    for (size_t i = 0; i < 2; ++i, at += attend_rows * words_stride_)
      words_[i] = reinterpret_cast<uint32_t*>(at);
    sums_ = at;
    at += attend_rows * job.value_strips * strip_columns;
    for (size_t i = 0; i < 2; ++i, at += attend_rows) totals_[i] = at;
  }

  // Where a block's rows begin: the last one overlaps the one before it rather than having fewer rows.
  size_t row_of(size_t block) const {
    return std::min(block * attend_rows, job_.rows > attend_rows ? job_.rows - attend_rows : 0);
  }

  void blocks() {
    const size_t rows = std::min(attend_rows, job_.rows), count = (job_.rows + attend_rows - 1) / attend_rows;
    TileSums<Tiles>::configure(rows, rows);
    begin_scores(0);
    while (score_left_ > 0) score();
    for (size_t block = 0; block < count; ++block) {
      const size_t row = row_of(block), done = block * attend_rows - row;
      const size_t keys = job_.scores->seen(row, rows), wide = (keys + 31) / 32 * 32;
      const float* scores = scores_[block % 2];
      const float scale = job_.scores->change(row, rows, keys, scores_[block % 2], stride_);
      if (block + 1 < count) begin_scores(block + 1);
      // All of them first: a row's powers wait long for what adds up over the row.
      float peaks[attend_rows];
      for (size_t i = done; i < rows; ++i) {
        peaks[i] = Softmax::peak(scores + i * stride_, keys);
        if (job_.sink != nullptr) peaks[i] = std::max(peaks[i], *job_.sink / scale);
      }
      uint32_t* words = words_[block % 2];
      float* totals = totals_[block % 2];
      const size_t each = (value_left_ + score_left_ + rows - done - 1) / (rows - done);
      for (size_t i = done; i < rows; ++i) {
        totals[i] =
            Softmax::row(scores + i * stride_, keys, scale, peaks[i], words + i * words_stride_, wide);
        if (job_.sink != nullptr) totals[i] += Softmax::of_sink(*job_.sink, scale, peaks[i]);
        for (size_t step = 0; step < each; ++step) tiles();
      }
      while (value_left_ + score_left_ > 0) tiles();
      if (block > 0) end(block - 1);
      begin_values(block, wide);
    }
    while (value_left_ > 0) tiles();
    end(count - 1);
  }

  void begin_scores(size_t block) {
    const size_t row = row_of(block);
    queries_ = job_.queries + row * job_.row_words;
    score_left_ = (job_.scores->seen(row, std::min(attend_rows, job_.rows)) + 31) / 32;
    keys_ = job_.keys;
    into_ = scores_[block % 2];
    if (job_.steps == TileSums<Tiles>::tile_rows) Tiles::template load<5>(queries_, job_.row_words * 4);
  }

  // 32 keys meet the queries.
  void score() {
    const size_t strip = job_.steps * line_bytes;
    Tiles::template zero<2>();
    Tiles::template zero<3>();
    const uint32_t* queries = queries_;
    for (size_t step = 0; step < job_.steps; step += 16, queries += 16) {
      if (job_.steps != 16) Tiles::template load<5>(queries, job_.row_words * 4);
      Tiles::template load<6>(keys_ + step * line_bytes, line_bytes);
      Tiles::template dot<2, 5, 6>();
      Tiles::template load<7>(keys_ + strip + step * line_bytes, line_bytes);
      Tiles::template dot<3, 5, 7>();
    }
    Tiles::template store<2>(into_, stride_ * 4);
    Tiles::template store<3>(into_ + 16, stride_ * 4);
    keys_ += 2 * strip;
    into_ += 32;
    --score_left_;
  }

  void begin_values(size_t block, size_t wide) {
    weights_ = words_[block % 2];
    value_steps_ = wide / 32;
    value_step_ = value_pair_ = 0;
    value_left_ = value_steps_ * job_.value_strips / 2;
  }

  // The weights of 32 keys meet the values of two strips.
  void value() {
    if (value_step_ == 0) {
      Tiles::template zero<0>();
      Tiles::template zero<1>();
    }
    const std::byte* values =
        job_.values + 2 * value_pair_ * job_.value_bytes + value_step_ * 16 * line_bytes;
    Tiles::template load<4>(weights_ + value_step_ * 16, words_stride_ * 4);
    Tiles::template load<6>(values, line_bytes);
    Tiles::template dot<0, 4, 6>();
    Tiles::template load<7>(values + job_.value_bytes, line_bytes);
    Tiles::template dot<1, 4, 7>();
    --value_left_;
    if (++value_step_ < value_steps_) return;
    const size_t stride = job_.value_strips * strip_columns;
    float* out = sums_ + 2 * value_pair_ * strip_columns;
    Tiles::template store<0>(out, stride * 4);
    Tiles::template store<1>(out + strip_columns, stride * 4);
    value_step_ = 0;
    ++value_pair_;
  }

  void tiles() {
    if (value_left_ > 0) return value();
    if (score_left_ > 0) score();
  }

  void end(size_t block) {
    const size_t row = row_of(block), done = block * attend_rows - row;
    ShareJob now = job_.share;
    now.rows = std::min(attend_rows, job_.rows) - done;
    now.sums_stride = job_.value_strips * strip_columns;
    now.sums = sums_ + done * now.sums_stride;
    now.totals = totals_[block % 2] + done;
    if (now.out != nullptr) now.out += (row + done) * now.out_stride;
    if (now.words != nullptr) now.words += (row + done) * now.row_words;
    share(now);
  }

  const AttendJob& job_;
  const size_t stride_, words_stride_;
  float *scores_[2], *totals_[2], *sums_;
  uint32_t* words_[2];
  // Of the tiles that are multiplied next.
  const uint32_t *queries_ = nullptr, *weights_ = nullptr;
  const std::byte* keys_ = nullptr;
  float* into_ = nullptr;
  size_t score_left_ = 0, value_left_ = 0, value_steps_ = 0, value_step_ = 0, value_pair_ = 0;
};

}  // namespace
}  // namespace holdfast::tensor
