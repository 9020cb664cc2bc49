#pragma once

#include "model/vision/images.h"
#include "model/weight_reader.h"

namespace holdfast::model {

// What a convolution whose stride is its kernel is made of.
struct PatchPlan {
  std::string name;  // NAME.weight [width, channels, kernel height, kernel width], and NAME.bias.
  size_t channels = 3, width = 0;
  Extent kernel;
  Bias bias = Bias::with;
};

// Such a convolution: each patch of an image is a row of its product. Pixels past the last whole patch are
// not read. Immutable.
class Patches {
 public:
  static Result<Patches> load(const PatchPlan& plan, const WeightReader& reader);

  const PatchPlan& plan() const { return plan_; }
  Extent grid(Extent image) const {
    return {image.height / plan_.kernel.height, image.width / plan_.kernel.width};
  }
  // [grid, width], row by row of the grid.
  void run(const float* image, Extent size, float* out, tensor::Threads& threads) const;

 private:
  PatchPlan plan_;
  LinearLayer layer_;
};

}  // namespace holdfast::model
