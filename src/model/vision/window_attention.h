#pragma once

#include "model/vision/convolution.h"

namespace holdfast::model {

// Attention within windows of a picture, whose places know each other by their distance (Swin). Windows may
// be shifted by half, around the picture's edge; then places that were no neighbours hardly see each other.
class WindowAttention {
 public:
  struct Plan {
    std::string name;  // "attention."
    size_t width = 0, heads = 0, window = 0;
    Bias bias = Bias::with;  // Of queries, keys and values.
  };
  static Result<WindowAttention> load(const Plan& plan, const WeightReader& reader);

  // out += attention of in, both [size, width]. The picture is filled up with zeros to whole windows.
  void add(const float* in, Extent size, size_t shift, float* out, tensor::Threads& threads) const;

 private:
  Plan plan_;
  tensor::Compute compute_;
  LinearLayer query_key_value_, out_;
  std::vector<float> distances_;  // [heads, lines between from below, columns between from the right]
};

}  // namespace holdfast::model
