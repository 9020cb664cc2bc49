#include "model/stacked_linear.h"

#include "base/check.h"
#include "tensor/buffer.h"

namespace holdfast::model {
namespace {

class Stacked final : public tensor::Linear {
 public:
  explicit Stacked(std::vector<LinearLayer> parts) : parts_(std::move(parts)) {
    for (const LinearLayer& part : parts_) {
      CHECK(part->inputs() == parts_.front()->inputs());
      width_ += part->width();
      bytes_ += part->bytes();
    }
  }
  size_t inputs() const override { return parts_.front()->inputs(); }
  size_t width() const override { return width_; }
  size_t bytes() const override { return bytes_; }
  void run(const tensor::LinearRun& run, tensor::Threads& threads) const override {
    tensor::LinearRun part = run;
    part.out_stride = run.out_stride != 0 ? run.out_stride : width_;
    for (const LinearLayer& one : parts_) {
      one->run(part, threads);
      part.out += one->width();
      if (part.addend != nullptr) part.addend += one->width();
    }
  }

 private:
  std::vector<LinearLayer> parts_;
  size_t width_ = 0, bytes_ = 0;
};

class Gated final : public tensor::Linear {
 public:
  Gated(LinearLayer gate, LinearLayer up) : gate_(std::move(gate)), up_(std::move(up)) {
    CHECK(gate_->inputs() == up_->inputs() && gate_->width() == up_->width());
  }
  size_t inputs() const override { return gate_->inputs(); }
  size_t width() const override { return gate_->width(); }
  size_t bytes() const override { return gate_->bytes() + up_->bytes(); }
  void run(const tensor::LinearRun& run, tensor::Threads& threads) const override {
    const size_t width = gate_->width(), stride = run.out_stride != 0 ? run.out_stride : width;
    tensor::Floats gates(run.rows * width), values(run.rows * width);
    tensor::LinearRun part = run;
    part.addend = nullptr;
    part.out_stride = width;
    part.out = gates.data();
    gate_->run(part, threads);
    part.out = values.data();
    part.activation = tensor::Activation::none;
    up_->run(part, threads);
    for (size_t row = 0; row < run.rows; ++row)
      for (size_t i = 0; i < width; ++i) {
        const float more = run.addend != nullptr ? run.addend[row * stride + i] : 0.0F;
        run.out[row * stride + i] = gates.data()[row * width + i] * values.data()[row * width + i] + more;
      }
  }

 private:
  LinearLayer gate_, up_;
};

}  // namespace

LinearLayer stack_linears(std::vector<LinearLayer> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return std::make_unique<Stacked>(std::move(parts));
}

LinearLayer gate_linears(LinearLayer gate, LinearLayer up) {
  return std::make_unique<Gated>(std::move(gate), std::move(up));
}

}  // namespace holdfast::model
