#pragma once

#include <vector>

#include "model/weight_reader.h"
#include "tensor/activation.h"
#include "tensor/buffer.h"

namespace holdfast::model {

// A convolution over time of rows of channels, as products of packed layers: a row of a product is the rows
// that the kernel covers, beside each other. Immutable; safe from any thread. A frame's bits depend on what
// its kernel covers alone.
class TimeConvolution {
 public:
  struct Shape {
    size_t inputs = 0, outputs = 0, kernel = 1, stride = 1;
    size_t before = 0, after = 0;  // Rows of zeros around.
    size_t groups = 1, dilation = 1;
  };

  // NAME.weight [outputs, inputs / groups, kernel] and NAME.bias [outputs].
  static Result<TimeConvolution> load(const WeightReader& reader, const std::string& name, const Shape& shape,
                                      Bias bias = Bias::with);
  // `weight` as above; `bias` may be empty. bad_request where the shape cannot be.
  static Result<TimeConvolution> of(const Shape& shape, const std::vector<float>& weight,
                                    const std::vector<float>& bias, tensor::Compute compute);

  const Shape& shape() const { return shape_; }
  // How many rows come of `length` rows; 0 where they are too few.
  size_t frames(size_t length) const;
  // in [length, inputs], out [frames(length), outputs].
  void run(const float* in, size_t length, float* out, tensor::Threads& threads,
           tensor::Activation activation = tensor::Activation::none) const;

 private:
  void run_group(size_t group, const float* in, size_t length, float* out, tensor::Threads& threads,
                 tensor::Activation activation) const;

  Shape shape_;
  std::vector<LinearLayer> groups_;  // [outputs / groups, kernel * inputs / groups], by row and then channel.
};

}  // namespace holdfast::model
