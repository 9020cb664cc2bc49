#pragma once

#include <memory>
#include <span>

#include "tensor/activation.h"
#include "tensor/precision.h"
#include "tensor/ready_rows.h"
#include "tensor/threads.h"

namespace holdfast::tensor {

enum class OutputLayout : uint8_t {
  plain,
  gated,  // The weight's first half of outputs are gates a, its second half values b: out = activation(a) *
          // b.
};

struct LinearShape {
  size_t outputs = 0, inputs = 0;
  OutputLayout layout = OutputLayout::plain;

  bool operator==(const LinearShape&) const = default;
};

// What a linear layer is made of.
struct LinearWeights {
  std::span<const float> weight;  // [outputs, inputs]
  std::span<const float> bias;    // [outputs], or empty
  size_t outputs = 0, inputs = 0;
  OutputLayout layout = OutputLayout::plain;
  // int8 only: [inputs], how large each becomes; empty: nobody knows. Where some are much larger than others,
  // as bytes they would cost all others their digits, so that inputs and weights share the difference.
  std::span<const float> peaks = {};
  // int8 only: [outputs] of weights that were bytes before; empty, or with peaks: each output's greatest
  // becomes 127.
  std::span<const float> scales = {};
};

// One product: out = activation(in * weight^T + bias) [gated: half as wide] + addend. Strides are in floats;
// 0 means that rows follow each other.
struct LinearRun {
  const float* in = nullptr;  // [rows, inputs]
  float* out = nullptr;       // [rows, width()]
  size_t rows = 0;
  size_t in_stride = 0, out_stride = 0;
  // Instead of out, with nothing that follows: bfloat16, [rows, width()]. Only where writes_halves().
  uint16_t* halves = nullptr;
  Activation activation = Activation::none;
  const float* addend = nullptr;  // [rows, width()], rows as far apart as those of out; may be out itself

  // Instead of `in`: rows that were made ready for this layer.
  const ReadyRows* ready = nullptr;
  // What follows each row while it is near: `norm` of it into `norm_out` (as far apart as rows of out, may be
  // out; null: only ready), then the row, normalised or not, made ready for `reader`. With a reader and
  // without a norm or an addend, out may be null. Only where row_words() is not 0.
  const RowNorm* norm = nullptr;
  float* norm_out = nullptr;
  const Linear* reader = nullptr;
  ReadyRows* next = nullptr;  // With room for `rows`.
};

// A linear layer, packed once for one instruction set and precision. Immutable; safe from any thread.
// A row's result depends on that row alone: the same bits for any number of rows and threads.
class Linear {
 public:
  virtual ~Linear() = default;
  virtual size_t inputs() const = 0;
  virtual size_t width() const = 0;  // Of a row of out: outputs, or half of them when gated.
  virtual size_t bytes() const = 0;  // Of memory it owns.
  virtual void run(const LinearRun& run, Threads& threads) const = 0;

  // Words of a ready row; 0 where the layer takes floats only. The numbers of a ready row are its first
  // words.
  virtual size_t row_words() const { return 0; }
  // Whether the sums of `reader` read what this layer can write itself: bf16 on the same instruction set, or
  // f32.
  virtual bool writes_for(const Linear& reader) const;
  // Whether its outputs can be bfloat16, as attention on the same instruction set takes them.
  virtual bool writes_halves() const { return false; }
  virtual const ProductKernel* kernel() const { return nullptr; }  // Null where row_words() is 0.
  // All its numbers as make_packed_linear or make_packed_block_linear takes them; empty where they cannot be
  // kept.
  virtual std::span<const float> packed() const { return {}; }
  // Rows [row, row + rows) of ready rows from floats that begin at `in`.
  virtual void make_ready(const float* in, size_t in_stride, size_t row, size_t rows, ReadyRows& out) const;
};

// Rows through a norm and ready for a layer.
struct NormRun {
  const float* in = nullptr;  // [rows, width], rows in_stride floats apart
  size_t in_stride = 0;
  float* out = nullptr;  // Of the norm; may be in; null: only ready. Rows out_stride floats apart.
  size_t out_stride = 0;
  size_t row = 0;  // The first one's place among the ready rows.
  size_t rows = 0, width = 0;
  const RowNorm* norm = nullptr;   // Null: the rows as they are; out is not written then.
  const Linear* reader = nullptr;  // Null: none.
  ReadyRows* next = nullptr;
};
void normalize_rows(const Kernels& kernels, const NormRun& run);

std::unique_ptr<const Linear> make_linear(const LinearWeights& weights, Compute compute);
// The layer whose packed() of the same precision, on whatever instruction set, these numbers are: aligned to
// a cache line, and borrowed. Null where such a layer has not as many.
std::unique_ptr<const Linear> make_packed_linear(std::span<const float> packed, const LinearShape& shape,
                                                 Compute compute);

}  // namespace holdfast::tensor
