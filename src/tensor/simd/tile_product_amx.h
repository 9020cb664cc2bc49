#pragma once

// A whole product on AMX: tiles of sums, and what becomes of them a few rows at a time while the next tiles
// are multiplied, as other units of the processor do it. `Ending` is what becomes of a row of sums; it must
// be short, since the processor looks ahead only so many instructions for the next tiles to load. In an
// unnamed namespace, as the other files of this folder.
#include "tensor/simd/tiles_amx.h"

namespace holdfast::tensor {
namespace {

// The job of a block of `rows` rows and two strips, whose sums are there.
[[gnu::always_inline]] inline FinishJob block_of(const FinishJob& whole, size_t row, size_t strip,
                                                 size_t rows, const void* sums) {
  const size_t column = strip * strip_columns, out_column = whole.gated ? column / 2 : column;
  FinishJob out = whole;
  out.rows = rows;
  out.sums = sums;
  out.sums_stride = 2 * strip_columns;
  out.columns = std::min(2 * strip_columns / (whole.gated ? 2 : 1), whole.columns - out_column);
  out.bias += column;
  out.word_from += out_column;
  if (whole.out != nullptr) out.out += row * whole.out_stride + out_column;
  if (whole.words != nullptr) out.words += row * whole.row_words;
  if (whole.addend != nullptr) out.addend += row * whole.out_stride + out_column;
  if (whole.row_scales != nullptr) {
    out.row_scales += row;
    out.row_shifts += row;
    out.column_scales += column;
    out.weight_sums += column;
  }
  return out;
}

// Any job at all. Some rows at a time, as a job is copied for each call and the processor waits for the tiles
// before it until what was just changed of it can be read in other pieces.
template <void (*finish)(const FinishJob&)>
class AnyEnding {
 public:
  void begin(const FinishJob& job) {
    job_ = job;
    left_ = job.rows;
    job_.rows = 0;
  }
  void row() {
    ++job_.rows;
    --left_;
    if (job_.rows < rows_a_call && left_ > 0) return;
    finish(job_);
    job_.sums = static_cast<const std::byte*>(job_.sums) + job_.rows * job_.sums_stride * 4;
    if (job_.out != nullptr) job_.out += job_.rows * job_.out_stride;
    if (job_.words != nullptr) job_.words += job_.rows * job_.row_words;
    if (job_.addend != nullptr) job_.addend += job_.rows * job_.out_stride;
    if (job_.row_scales != nullptr) {
      job_.row_scales += job_.rows;
      job_.row_shifts += job_.rows;
    }
    job_.rows = 0;
  }

 private:
  static constexpr size_t rows_a_call = 8;
  FinishJob job_;    // Its rows: those whose sums are there and that are not finished.
  size_t left_ = 0;  // After them.
};

template <class Tiles, class Ending>
class TileProduct {
 public:
  // As ProductKernel::product.
  static void run(const SumsJob& job, const FinishJob& finish) {
    if (job.row_count == 0) return;
    TileProduct(job, finish).strips();
    Tiles::release();
  }

 private:
  using Sums = TileSums<Tiles>;
  static constexpr size_t block_rows = 2 * Sums::tile_rows;

  TileProduct(const SumsJob& job, const FinishJob& finish) : job_(job), finish_(finish) {
    job_.sums_stride = 2 * strip_columns;
  }

  void strips() {
    size_t configured = 0;
    for (size_t strip = 0; strip < job_.strip_count; strip += 2) {
      typename Sums::Ahead ahead = ahead_of(strip);
      for (size_t row = 0; row < job_.row_count; row += block_rows) {
        const size_t rows = std::min(block_rows, job_.row_count - row);
        if (rows != configured) Sums::configure_for(configured = rows);
        next_place_ ^= 1U;
        std::byte* sums = sums_[next_place_];
        rows > Sums::tile_rows ? multiply<true>(row, strip, sums, ahead)
                               : multiply<false>(row, strip, sums, ahead);
        ending_.begin(block_of(finish_, row, strip, rows, sums));
        left_ = rows;
      }
    }
    for (; left_ > 0; --left_) ending_.row();
  }

  // The next two strips are fetched while all rows meet two.
  typename Sums::Ahead ahead_of(size_t strip) const {
    const bool last = strip + 2 >= job_.strip_count;
    SumsJob now = job_;
    now.strip_count = 2;
    now.next = last ? job_.next : job_.strips + (strip + 2) * job_.strip_bytes;
    now.next_lines = last ? job_.next_lines : 2 * job_.steps;
    return Sums::ahead_of(now);
  }

  template <bool both>
  void multiply(size_t row, size_t strip, std::byte* sums, typename Sums::Ahead& ahead) {
    const size_t times = job_.steps / Sums::tile_rows;
    const size_t each = times == 0 ? 0 : (left_ + times - 1) / times;
    Ending ending = ending_;  // In registers.
    size_t left = left_;
    Sums::template zero<both>();
    Sums::template steps<both>(job_, row, strip, ahead, [&] {
      const size_t now = std::min(each, left);
      for (size_t i = 0; i < now; ++i) ending.row();
      left -= now;
    });
    for (; left > 0; --left) ending.row();
    ending_ = ending;
    Sums::template store<both>(sums, job_.sums_stride * 4);
  }

  SumsJob job_;
  const FinishJob& finish_;
  // Of the block that is multiplied and of the one before it.
  alignas(line_bytes) std::byte sums_[2][block_rows * 2 * line_bytes];
  Ending ending_;          // Of the block whose sums were completed last.
  size_t left_ = 0;        // Of its rows.
  size_t next_place_ = 0;  // Among sums_.
};

}  // namespace
}  // namespace holdfast::tensor
