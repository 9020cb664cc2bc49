#pragma once

#include "model/recurrent/recurrent_layer.h"
#include "tensor/linear.h"

// The kinds of layers, and what they share.
namespace holdfast::model {

// `at`: what their tensors' names begin with.
Result<std::unique_ptr<const RecurrentLayer>> load_short_convolution(const RecurrentPlan& plan, size_t width,
                                                                     const std::string& at,
                                                                     const WeightReader& reader);
Result<std::unique_ptr<const RecurrentLayer>> load_gated_delta(const RecurrentPlan& plan, size_t width,
                                                               const std::string& at,
                                                               const WeightReader& reader);
Result<std::unique_ptr<const RecurrentLayer>> load_state_space(const RecurrentPlan& plan, size_t width,
                                                               const std::string& at,
                                                               const WeightReader& reader);
Result<std::unique_ptr<const RecurrentLayer>> load_selective_space(const RecurrentPlan& plan, size_t width,
                                                                   const std::string& at,
                                                                   const WeightReader& reader);

inline void multiply_rows(const tensor::Linear& layer, const float* in, float* out, size_t rows,
                          tensor::Threads& threads) {
  tensor::LinearRun run;
  run.in = in;
  run.out = out;
  run.rows = rows;
  layer.run(run, threads);
}

float soft_plus(float x);  // log(1 + e^x), as torch has it.

}  // namespace holdfast::model
