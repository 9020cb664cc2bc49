#pragma once

#include <string>

#include "model/weight_reader.h"

namespace holdfast::model {

// xIELU (Huang and Schlag 2024): a square above 0, an exponential below, each with a factor that was learned.
class LearnedActivation {
 public:
  // alpha_p and alpha_n, and beta and eps where they are there, at PREFIX.
  static Result<LearnedActivation> load(const WeightReader& reader, const std::string& prefix);

  void apply(float* data, size_t count) const;  // In place.

 private:
  float above_ = 0, below_ = 0, beta_ = 0.5F, epsilon_ = -1e-6F;
};

}  // namespace holdfast::model
