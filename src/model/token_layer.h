#pragma once

#include "base/result.h"
#include "model/token_batch.h"
#include "tensor/threads.h"

namespace holdfast::model {

// A layer of a family whose layers are not those of the shared block, or what makes its first rows. Encoder
// runs it in their place. Immutable; safe from any thread. A sequence's bits depend on that sequence alone.
class TokenLayer {
 public:
  virtual ~TokenLayer() = default;
  // Whether it can run on these tokens: bad_request for what is outside its tables.
  virtual Status check(const TokenBatch& /*batch*/) const { return Done{}; }
  // x: [tokens, E] of the batch's sequences [first, last), in place; written only where it makes first rows.
  virtual void run(const TokenBatch& batch, size_t first, size_t last, float* x,
                   tensor::Threads& threads) const = 0;
  // The same, and what sums up each sequence, [last - first, E], of families whose heads read that.
  virtual void run_summing(const TokenBatch& batch, size_t first, size_t last, float* x, float* /*sums*/,
                           tensor::Threads& threads) const {
    run(batch, first, last, x, threads);
  }
};

// One that sums its sequences up itself; `sums` is null where nobody asks.
class SummingLayer : public TokenLayer {
 public:
  void run(const TokenBatch& batch, size_t first, size_t last, float* x,
           tensor::Threads& threads) const final {
    run_summing(batch, first, last, x, nullptr, threads);
  }
  void run_summing(const TokenBatch& batch, size_t first, size_t last, float* x, float* sums,
                   tensor::Threads& threads) const override = 0;
};

}  // namespace holdfast::model
