#include "model/recurrent/recurrent_layer.h"

#include <cmath>

#include "model/recurrent/layers.h"

namespace holdfast::model {

float soft_plus(float x) { return x > 20 ? x : std::log1p(std::exp(x)); }

Result<std::unique_ptr<const RecurrentLayer>> load_recurrent_layer(const RecurrentPlan& plan, size_t width,
                                                                   const std::string& layer,
                                                                   const WeightReader& reader) {
  const std::string at = layer + plan.name + ".";
  switch (plan.kind) {
    case RecurrentPlan::Kind::short_convolution:
      return load_short_convolution(plan, width, at, reader);
    case RecurrentPlan::Kind::gated_delta:
      return load_gated_delta(plan, width, at, reader);
    case RecurrentPlan::Kind::state_space:
      return load_state_space(plan, width, at, reader);
    case RecurrentPlan::Kind::selective_space:
      return load_selective_space(plan, width, at, reader);
  }
  return fail(Code::internal, "a kind of layer that is none");
}

}  // namespace holdfast::model
