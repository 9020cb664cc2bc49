#include "model/learned_activation.h"

#include <algorithm>
#include <cmath>

namespace holdfast::model {
namespace {

float softplus(float x) { return x > 20 ? x : std::log1p(std::exp(x)); }

}  // namespace

Result<LearnedActivation> LearnedActivation::load(const WeightReader& reader, const std::string& prefix) {
  LearnedActivation out;
  if (reader.has(prefix + "beta")) {
    TRY(const std::vector<float> beta, reader.floats(prefix + "beta", {}));
    out.beta_ = beta[0];
  }
  if (reader.has(prefix + "eps")) {
    TRY(const std::vector<float> epsilon, reader.floats(prefix + "eps", {}));
    out.epsilon_ = epsilon[0];
  }
  TRY(const std::vector<float> above, reader.floats(prefix + "alpha_p", {1}));
  TRY(const std::vector<float> below, reader.floats(prefix + "alpha_n", {1}));
  out.above_ = softplus(above[0]);
  out.below_ = out.beta_ + softplus(below[0]);
  return out;
}

void LearnedActivation::apply(float* data, size_t count) const {
  for (size_t i = 0; i < count; ++i) {
    const float x = data[i];
    const float curve = x > 0 ? above_ * x * x : (std::expm1(std::min(x, epsilon_)) - x) * below_;
    data[i] = curve + beta_ * x;
  }
}

}  // namespace holdfast::model
