#pragma once

#include "tensor/isa.h"
#include "tensor/products.h"

namespace holdfast::tensor {

// What becomes of a head's scores between their sums and softmax.
class ScoreChange {
 public:
  virtual ~ScoreChange() = default;
  // The first so many keys are all that queries [row, row + rows) see.
  virtual size_t seen(size_t row, size_t rows) const = 0;
  // Changes theirs of these keys, rows `stride` apart; returns the scale that is left to apply.
  virtual float change(size_t row, size_t rows, size_t seen, float* scores, size_t stride) const = 0;
};

// Attention of one head: what `sums`, `weigh`, `sums` again and `share` (products.h) leave, to the bit.
struct AttendJob {
  const uint32_t* queries = nullptr;  // As `sums` reads them, row_words apart.
  size_t row_words = 0, rows = 0, steps = 0;
  const std::byte* keys = nullptr;    // Strips of `steps` lines, an even number of them.
  size_t keys_wide = 0;               // Keys of all strips.
  const std::byte* values = nullptr;  // Strips value_bytes apart, each a line for two keys; an even number.
  size_t value_bytes = 0, value_strips = 0;
  const ScoreChange* scores = nullptr;
  const float* sink = nullptr;  // As in WeighJob.
  ShareJob share;               // Of all rows, but for the sums and totals.
  float* memory = nullptr;      // attend_floats() of them, aligned to a line.
};

inline constexpr size_t attend_rows = 16;  // At a time.
// Numbers between rows, so that they do not all fall into the same lines of the cache.
inline constexpr size_t attend_gap = 16;

// Of two blocks of rows scores, weights and totals, of one sums.
inline constexpr size_t attend_floats(size_t keys_wide, size_t value_strips) {
  return attend_rows *
         (2 * (keys_wide + attend_gap + keys_wide / 2 + attend_gap + 1) + value_strips * strip_columns);
}

// For units that multiply while others weigh, in bfloat16. Null: that instruction set has none such.
using AttendKernel = void (*)(const AttendJob&);
AttendKernel attend_kernel(Isa isa);
void amx_attend(const AttendJob& job);

}  // namespace holdfast::tensor
