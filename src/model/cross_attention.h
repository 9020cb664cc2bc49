#pragma once

#include <span>

#include "model/decoder_weights.h"
#include "model/token_batch.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"

namespace holdfast::model {

// What an encoder left of one sequence for a decoder's layers: keys and values of each. Immutable once made;
// safe from any thread.
struct Memory {
  size_t tokens = 0;
  std::vector<tensor::Floats> layers;  // [tokens, 2 * heads * D]: a token's keys, then its values.
};

// A decoder layer's attention to an encoder's output. Immutable; safe from any thread.
class CrossAttention {
 public:
  static Result<CrossAttention> load(const DecoderPlan& plan, const DecoderWeights& weights,
                                     const std::string& layer);

  const Norm& norm() const { return norm_; }
  // Keys and values of rows of an encoder's output.
  tensor::Floats remember(const float* rows, size_t count, tensor::Threads& threads) const;
  // out [tokens, E]: the branch for rows `in` of the batch, each sequence reading its own memory at `layer`,
  // which has tokens. A sequence's bits do not depend on the batch around it.
  void run(const TokenBatch& batch, std::span<const Memory* const> memories, size_t layer, const float* in,
           float* out, tensor::Threads& threads) const;

 private:
  CrossAttention() = default;
  void attend(const Memory& memory, size_t layer, const float* queries, float* context, size_t count,
              tensor::Threads& threads) const;

  LinearLayer query_, key_value_, out_;
  Norm norm_;
  tensor::Compute compute_;
  size_t heads_ = 0, head_width_ = 0;
  float scale_ = 1;
};

}  // namespace holdfast::model
