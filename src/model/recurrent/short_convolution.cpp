#include "model/recurrent/layers.h"
#include "model/recurrent/token_taps.h"
#include "tensor/buffer.h"

namespace holdfast::model {
namespace {

// LFM 2: out(C * taps(B * x)), B, C and x in that order from one product.
class ShortConvolution final : public RecurrentLayer {
 public:
  static Result<std::unique_ptr<const RecurrentLayer>> load(const RecurrentPlan& plan, size_t width,
                                                            const std::string& at,
                                                            const WeightReader& reader) {
    auto out = std::make_unique<ShortConvolution>();
    out->width_ = width;
    TRY(out->taps_, TokenTaps::load(reader, at + "conv", width, plan.taps, plan.bias, plan.activation));
    TRY(out->in_, reader.linear(at + "in_proj", 3 * width, width, plan.bias));
    TRY(out->out_, reader.linear(at + "out_proj", width, width, plan.bias));
    return std::unique_ptr<const RecurrentLayer>(std::move(out));
  }

  size_t state_floats() const override { return taps_.state_floats(); }

  void run(const Run& run) const override {
    const size_t rows = run.batch.tokens();
    tensor::Floats all(rows * 3 * width_), seen(rows * width_);
    multiply_rows(*in_, run.in, all.data(), rows, run.threads);
    for (size_t row = 0; row < rows; ++row) {
      float* gate = all.data() + row * 3 * width_;
      for (size_t i = 0; i < width_; ++i) gate[i] *= gate[2 * width_ + i];
    }
    taps_.run(run, all.data(), 3 * width_, seen.data());
    for (size_t row = 0; row < rows; ++row) {
      const float* gate = all.data() + row * 3 * width_ + width_;
      for (size_t i = 0; i < width_; ++i) seen.data()[row * width_ + i] *= gate[i];
    }
    multiply_rows(*out_, seen.data(), run.out, rows, run.threads);
  }

 private:
  size_t width_ = 0;
  TokenTaps taps_;
  LinearLayer in_, out_;
};

}  // namespace

Result<std::unique_ptr<const RecurrentLayer>> load_short_convolution(const RecurrentPlan& plan, size_t width,
                                                                     const std::string& at,
                                                                     const WeightReader& reader) {
  return ShortConvolution::load(plan, width, at, reader);
}

}  // namespace holdfast::model
