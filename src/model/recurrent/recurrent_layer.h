#pragma once

#include <memory>
#include <span>

#include "model/recurrent/recurrent_plan.h"
#include "model/token_batch.h"
#include "tensor/kernels.h"
#include "tensor/threads.h"

namespace holdfast::model {

// A layer whose tokens see those before them through a state alone. Immutable; safe from any thread. The bits
// of a sequence depend neither on the others nor on how its tokens are split into calls: tokens go one by
// one.
class RecurrentLayer {
 public:
  struct Run {
    const TokenBatch& batch;
    std::span<float* const> states;  // One a sequence, [state_floats()], zeros before its first token.
    const float* in = nullptr;       // [tokens, E]
    float* out = nullptr;            // [tokens, E]; not `in`.
    tensor::Threads& threads;
  };

  virtual ~RecurrentLayer() = default;
  virtual size_t state_floats() const = 0;
  virtual void run(const Run& run) const = 0;
};

// The layer at LAYER.NAME, rows of `width`.
Result<std::unique_ptr<const RecurrentLayer>> load_recurrent_layer(const RecurrentPlan& plan, size_t width,
                                                                   const std::string& layer,
                                                                   const WeightReader& reader);

}  // namespace holdfast::model
