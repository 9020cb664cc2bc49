#pragma once

#include "model/encoder_plan.h"

namespace holdfast::model {

// How much of the bias by distance each head of a token lets through (WavLM): two numbers of the head's part
// of the row that attention reads. Immutable.
class OpenedDistances {
 public:
  static Result<OpenedDistances> load(const EncoderPlan& plan, const WeightReader& reader,
                                      const std::string& layer);

  // rows [count, heads * D], gates [count, heads].
  void run(const float* rows, size_t count, float* gates) const;

 private:
  std::vector<float> first_, second_;  // [D], of each number, with its bias after it.
  std::vector<float> factors_;         // [heads]
};

}  // namespace holdfast::model
