#pragma once

#include "model/vision/image_tower.h"

namespace holdfast::model {

// One learned query that looks at all rows of an image, and a feed-forward layer (SigLIP's head). Immutable.
class AttentionPooling {
 public:
  struct Plan {
    std::string name;  // "head."
    size_t width = 0, heads = 0, inner = 0;
    float epsilon = 0;
    tensor::Activation activation = tensor::Activation::gelu_tanh;
  };
  static Result<AttentionPooling> load(const Plan& plan, const WeightReader& reader);

  // [images, width]
  tensor::Floats run(const ImageRows& rows, tensor::Threads& threads) const;

 private:
  Plan plan_;
  tensor::Compute compute_;
  std::vector<float> query_;  // The probe's, through its own layer.
  LinearLayer key_value_, out_, up_, down_;
  Norm norm_;
};

}  // namespace holdfast::model
