#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/activation_kind.h"

namespace holdfast::tensor {

// The packed form of a weight [N, K], the same on every instruction set: strips of sixteen outputs, each a
// list of 64-byte lines, one line a step of K. A line holds, for each of its outputs, one float (f32), two
// bfloat16 of neighbouring k (bf16) or four bytes (int8): what one 32-bit word of a row meets. Lines and
// outputs past the end are zeros, and the number of strips is even. bf16 and int8 have a multiple of sixteen
// steps, as tile registers want it.
inline constexpr size_t strip_columns = 16;
inline constexpr size_t line_bytes = 64;

// Rows of floats, made into what `sums` reads.
struct PrepareJob {
  const float* in = nullptr;  // [rows, k], rows in_stride floats apart
  size_t rows = 0, k = 0, in_stride = 0;
  size_t steps = 0;         // Of the packed weight; what lies past k becomes zero.
  uint32_t* out = nullptr;  // Rows row_words apart, at least steps * ProductKernel::words_a_step
  size_t row_words = 0;
  // int8 only, a row each: x is about q * scale + shift for the byte q.
  float* scales = nullptr;
  float* shifts = nullptr;
  // int8 only, a number an input, which becomes a byte times that; null: all ones.
  const float* factors = nullptr;
};

// sums[r][c] = sum over k of row r and output c, from k = 0 upwards, one accumulator an element: the same
// bits for any number of rows and strips. Floats for f32 and bf16, whole numbers for int8.
struct SumsJob {
  const uint32_t* rows = nullptr;
  size_t row_words = 0, row_count = 0;
  const std::byte* strips = nullptr;                   // strip_bytes apart
  size_t strip_bytes = 0, strip_count = 0, steps = 0;  // strip_count: even
  // Instead of `strips`, where ProductKernel::reads_pages: they lie in pages, `offset` floats from where each
  // begins.
  struct Pages {
    const float* const* first = nullptr;  // Null: none.
    size_t offset = 0;
    size_t strips = 0;  // Of a page, an even count, the next page has the next ones.
    // Or all strips begin in the first page and go on in the next after so many steps, 16 times some.
    size_t steps = 0;

    const std::byte* at(size_t strip, size_t step, size_t bytes_of_strip) const {
      const size_t page = strips != 0 ? strip / strips : step / steps;
      const size_t strip_there = strips != 0 ? strip % strips : strip,
                   step_there = steps != 0 ? step % steps : step;
      return reinterpret_cast<const std::byte*>(first[page] + offset) + strip_there * bytes_of_strip +
             step_there * line_bytes;
    }
  } pages;
  // Lines that are read soon, `next_lines` of them, to be fetched into the cache meanwhile; may be null.
  const std::byte* next = nullptr;
  size_t next_lines = 0;
  // Between the lines of a strip: more where strips are columns of rows in memory (f32 only, not on AMX).
  // Lines need no alignment.
  size_t line_stride = line_bytes;
  void* sums = nullptr;  // [row_count, strip_count * 16], rows sums_stride numbers apart
  size_t sums_stride = 0;
  // Not on AMX, nor in int8: goes on from what `sums` holds, so that a sum over k may come in pieces.
  enum class Begin : uint8_t { at_zero, at_sums };
  Begin begin = Begin::at_zero;
};

// What becomes of sums: (sum + bias), the activation, the gate, the addend.
struct FinishJob {
  const void* sums = nullptr;                     // As `sums` left them.
  size_t sums_stride = 0, rows = 0, columns = 0;  // columns: of out
  // int8 only: sum + bias is fma(sum, row_scale[row] * column_scale[column],
  //                             fma(row_shift[row], weight_sum[column], bias[column])).
  const float* row_scales = nullptr;
  const float* row_shifts = nullptr;
  const float* column_scales = nullptr;
  const float* weight_sums = nullptr;
  const float* bias = nullptr;  // Padded to whole strips, as column_scales and weight_sums are.
  Activation activation = Activation::none;
  bool gated = false;             // Strips alternate: sixteen gates, sixteen values.
  const float* addend = nullptr;  // Rows out_stride apart.
  float* out = nullptr;
  size_t out_stride = 0;
  // Instead of out and without an addend: rows as `sums` of the bf16 kernel of the instruction set reads
  // them, from number word_from of a row, columns a multiple of sixteen. In int8 only where words are pairs.
  uint32_t* words = nullptr;
  size_t row_words = 0, word_from = 0;
};

// out = sums / total of the row: the end of attention.
struct ShareJob {
  const float* sums = nullptr;  // [rows, columns], rows sums_stride apart
  size_t sums_stride = 0, rows = 0, columns = 0;
  const float* totals = nullptr;  // [rows]
  float* out = nullptr;
  size_t out_stride = 0;
  uint32_t* words = nullptr;  // As in FinishJob.
  size_t row_words = 0, word_from = 0;
};

// Rows of floats as the packed form of a matrix that other rows are multiplied with: their transpose (rows
// become outputs) or they themselves (rows become steps). What is missing of a line is zero.
struct PackJob {
  const float* in = nullptr;  // [rows, columns], rows in_stride numbers apart
  // For pairs, instead of in: bfloat16, in_stride even; columns: a multiple of 32.
  const uint16_t* halves = nullptr;
  size_t rows = 0, columns = 0, in_stride = 0;
  std::byte* out = nullptr;  // Strips strip_bytes apart; aligned to a line
  size_t strip_bytes = 0, steps = 0;
};

// Softmax without its division: words[r] = exp((score - greatest score of the row) * scale) as rows for
// `sums`, zeros up to `steps`, and what they add up to in `totals`.
struct WeighJob {
  const float* scores = nullptr;  // [rows, keys], rows `stride` apart; -infinity where a key is not seen
  size_t rows = 0, keys = 0, stride = 0;
  float scale = 1;
  const float* sink = nullptr;  // A score beside those, scaled already, without a word.
  uint32_t* words = nullptr;
  size_t row_words = 0, steps = 0;
  float* totals = nullptr;  // [rows]
};

// One precision on one instruction set. The last four serve attention, which int8 does in bf16.
struct ProductKernel {
  size_t words_a_step;
  void (*prepare)(const PrepareJob&);
  void (*sums)(const SumsJob&);
  void (*finish)(const FinishJob&);
  void (*pack_transposed)(const PackJob&) = nullptr;  // At most 16 rows: one strip; steps: a multiple of 16
  void (*pack_rows)(const PackJob&) = nullptr;
  void (*weigh)(const WeighJob&) = nullptr;
  void (*share)(const ShareJob&) = nullptr;
  // Rows that `sums` takes at a time, where it begins anew for others at no cost; 0: it does not.
  size_t tile_rows = 0;
  // Sums and what becomes of them in one, as finish(of sums) is: for units that multiply while others finish.
  // Neither job has sums; `next` follows the last strip, and the finish has all columns of the strips. Null:
  // there are none such.
  void (*product)(const SumsJob&, const FinishJob&) = nullptr;
  bool reads_pages = false;  // SumsJob::pages
};

// On every instruction set.
inline constexpr size_t precisions = 3;

}  // namespace holdfast::tensor
