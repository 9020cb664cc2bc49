#include "model/opened_distances.h"

#include <cmath>

namespace holdfast::model {
namespace {

constexpr size_t parts = 4;  // Outputs of the stored layer that each number is the sum of.

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

}  // namespace

Result<OpenedDistances> OpenedDistances::load(const EncoderPlan& plan, const WeightReader& reader,
                                              const std::string& layer) {
  OpenedDistances out;
  const size_t width = plan.head_width;
  const DistanceGate& names = *plan.distance_gate;
  TRY(const std::vector<float> weight, reader.floats(layer + names.linear + ".weight", {2 * parts, width}));
  TRY(const std::vector<float> bias, reader.floats(layer + names.linear + ".bias", {2 * parts}));
  TRY(out.factors_, reader.floats(layer + names.factor, {1, plan.heads, 1, 1}));
  for (std::vector<float>* number : {&out.first_, &out.second_}) {
    const size_t from = number == &out.first_ ? 0 : parts;
    number->assign(width + 1, 0.0F);
    for (size_t row = from; row < from + parts; ++row) {
      for (size_t i = 0; i < width; ++i) (*number)[i] += weight[row * width + i];
      number->back() += bias[row];
    }
  }
  return out;
}

void OpenedDistances::run(const float* rows, size_t count, float* gates) const {
  const size_t width = first_.size() - 1;
  for (size_t i = 0; i < count * factors_.size(); ++i) {
    const float* head = rows + i * width;
    float a = first_.back(), b = second_.back();
    for (size_t k = 0; k < width; ++k) {
      a += head[k] * first_[k];
      b += head[k] * second_[k];
    }
    gates[i] = sigmoid(a) * (sigmoid(b) * factors_[i % factors_.size()] - 1.0F) + 2.0F;
  }
}

}  // namespace holdfast::model
