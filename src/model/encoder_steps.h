#pragma once

#include <string_view>

#include "model/encoder_plan.h"
#include "model/token_batch.h"

namespace holdfast::model {

// What a forward pass consists of; each product with what is fused to it.
enum class EncoderStep : uint8_t {
  embedding,
  query_key_value,
  attention,
  attention_out,  // With the sum and the norm that follow.
  inner,          // With the activation.
  out,            // With the sum and the norm that follow.
  convolution,
  whole_layer,  // Of a family with layers of its own.
  final_norm,
};
inline constexpr EncoderStep encoder_steps[] = {
    EncoderStep::embedding,     EncoderStep::query_key_value, EncoderStep::attention,
    EncoderStep::attention_out, EncoderStep::inner,           EncoderStep::out,
    EncoderStep::convolution,   EncoderStep::whole_layer,     EncoderStep::final_norm};
std::string_view step_name(EncoderStep step);

// Operations of a step of one layer, a multiply-add counted as two; 0 for those without products.
double step_operations(const EncoderPlan& plan, const TokenBatch& batch, EncoderStep step);

// Told when a step has ended, by the one thread that computes. Embedding and final norm are of layer 0.
class StepWatch {
 public:
  virtual ~StepWatch() = default;
  virtual void ended(size_t layer, EncoderStep step) = 0;
};

}  // namespace holdfast::model
