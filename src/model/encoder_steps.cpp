#include "model/encoder_steps.h"

#include <algorithm>
#include <cstdlib>

namespace holdfast::model {
namespace {

// Pairs of tokens that attention scores, windows left out of account.
double pairs_of(const TokenBatch& batch) {
  double out = 0;
  for (size_t i = 0; i < batch.sequences(); ++i)
    out += static_cast<double>(batch.length(i)) * static_cast<double>(batch.length(i));
  return out;
}

}  // namespace

std::string_view step_name(EncoderStep step) {
  switch (step) {
    case EncoderStep::embedding:
      return "embedding";
    case EncoderStep::query_key_value:
      return "query, key, value";
    case EncoderStep::attention:
      return "attention";
    case EncoderStep::attention_out:
      return "attention output, norm";
    case EncoderStep::inner:
      return "inner, activation";
    case EncoderStep::out:
      return "output, norm";
    case EncoderStep::convolution:
      return "convolution";
    case EncoderStep::whole_layer:
      return "whole layer";
    case EncoderStep::final_norm:
      return "final norm";
  }
  std::abort();
}

double step_operations(const EncoderPlan& plan, const TokenBatch& batch, EncoderStep step) {
  const double width = static_cast<double>(plan.width), inner = static_cast<double>(plan.inner),
               heads = static_cast<double>(plan.heads * plan.head_width),
               tokens = static_cast<double>(batch.tokens());
  switch (step) {
    case EncoderStep::query_key_value:
      return 6 * tokens * width * heads;
    case EncoderStep::attention:
      return 4 * pairs_of(batch) * heads;
    case EncoderStep::attention_out:
      return 2 * tokens * width * heads;
    case EncoderStep::inner:
      return (plan.gated ? 4 : 2) * tokens * width * inner;
    case EncoderStep::out:
      return 2 * tokens * width * inner;
    case EncoderStep::convolution:
      return plan.convolution ? 2 * tokens * width * width /
                                    static_cast<double>(std::max<size_t>(plan.convolution->groups, 1)) *
                                    static_cast<double>(plan.convolution->kernel)
                              : 0;
    case EncoderStep::embedding:
    case EncoderStep::whole_layer:
    case EncoderStep::final_norm:
      return 0;
  }
  std::abort();
}

}  // namespace holdfast::model
