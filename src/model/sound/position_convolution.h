#pragma once

#include <optional>

#include "model/sound/time_convolution.h"
#include "tensor/kernels.h"

namespace holdfast::model {

// What a frame's neighbours add to it in place of a table of positions.
struct PositionConvolutionPlan {
  size_t kernel = 128, groups = 16;
  size_t layers = 0;        // > 0: so many one after the other, each with a norm (data2vec); 0: one without.
  bool batch_norm = false;  // Of what it reads, instead of a weight in two parts (HuBERT).
  tensor::Activation activation = tensor::Activation::gelu;
  std::string name = "encoder.pos_conv_embed.";
};

// Immutable; safe from any thread.
class PositionConvolution {
 public:
  static Result<PositionConvolution> load(const PositionConvolutionPlan& plan, size_t width,
                                          const WeightReader& reader);

  // Whether frames read what was made of the zeros that stand for padding behind them, rather than zeros.
  bool reads_padding() const { return before_.has_value() || layers_.size() > 1; }
  // rows += what is made of them; [length, width].
  void add_to(float* rows, size_t length, tensor::Threads& threads) const;

 private:
  struct Scales {
    std::vector<float> factors, shifts;
  };
  PositionConvolution() = default;

  std::vector<TimeConvolution> layers_;
  std::optional<Scales> before_;
  bool norms_ = false;
  std::vector<float> ones_, zeros_;
  tensor::Activation activation_ = tensor::Activation::gelu;
  const tensor::Kernels* kernels_ = nullptr;  // One of the static tables.
};

}  // namespace holdfast::model
