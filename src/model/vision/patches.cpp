#include "model/vision/patches.h"

#include <algorithm>

namespace holdfast::model {

Result<Patches> Patches::load(const PatchPlan& plan, const WeightReader& reader) {
  Patches out;
  out.plan_ = plan;
  const size_t inputs = plan.channels * plan.kernel.area();
  TRY(const std::vector<float> weight,
      reader.floats(plan.name + ".weight",
                    {plan.width, plan.channels, plan.kernel.height, plan.kernel.width}));
  std::vector<float> bias;
  if (plan.bias == Bias::with || (plan.bias == Bias::if_there && reader.has(plan.name + ".bias"))) {
    TRY(bias, reader.floats(plan.name + ".bias", {plan.width}));
  }
  out.layer_ = tensor::make_linear({weight, bias, plan.width, inputs}, reader.compute());
  return out;
}

void Patches::run(const float* image, Extent size, float* out, tensor::Threads& threads) const {
  const Extent cells = grid(size), kernel = plan_.kernel;
  const size_t inputs = plan_.channels * kernel.area();
  tensor::Floats rows(cells.area() * inputs);
  float* to = rows.data();
  for (size_t y = 0; y < cells.height; ++y)
    for (size_t x = 0; x < cells.width; ++x)
      for (size_t channel = 0; channel < plan_.channels; ++channel)
        for (size_t line = 0; line < kernel.height; ++line) {
          const size_t from =
              (channel * size.height + y * kernel.height + line) * size.width + x * kernel.width;
          to = std::copy_n(image + from, kernel.width, to);
        }
  tensor::LinearRun run;
  run.in = rows.data();
  run.out = out;
  run.rows = cells.area();
  layer_->run(run, threads);
}

}  // namespace holdfast::model
