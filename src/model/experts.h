#pragma once

#include "model/decoder_weights.h"
#include "tensor/kernels.h"
#include "tensor/threads.h"

namespace holdfast::model {

// A feed-forward of experts: each token goes through the few that a router picks for it, and through shared
// ones. Immutable; safe from any thread. A token's result does not depend on the others, but where experts
// have a capacity on those of its sequence before it.
class Experts {
 public:
  static Result<Experts> load(const DecoderPlan& plan, const DecoderWeights& weights,
                              const std::string& layer);

  // out [rows, E] from in [rows, E]; they do not overlap. `starts`, where experts have a capacity: of the
  // sequences that the rows are of, and their end.
  void run(const tensor::Kernels& kernels, const float* in, float* out, size_t rows, tensor::Threads& threads,
           std::span<const size_t> starts = {}) const;

 private:
  struct Expert {
    LinearLayer gate_up, down;
  };
  struct Pick {
    size_t expert = 0;
    float share = 0;
  };

  Status load_experts(const DecoderPlan& plan, const DecoderWeights& weights, const std::string& layer);
  Status load_stacked(const DecoderPlan& plan, const DecoderWeights& weights, const std::string& gate_up,
                      const std::string& down_name);
  Status load_inputs_first(const DecoderPlan& plan, const DecoderWeights& weights, const std::string& at);
  Status load_transposed(const DecoderPlan& plan, const DecoderWeights& weights, const std::string& at);
  void fill(std::vector<std::pair<size_t, float>>& rows, std::span<const size_t> starts) const;
  std::vector<Pick> pick(std::span<const float> logits) const;
  void run_expert(const tensor::Kernels& kernels, const Expert& expert, const float* in, float* out,
                  size_t rows, tensor::Threads& threads) const;

  ExpertsPlan plan_;
  tensor::Activation activation_ = tensor::Activation::silu;
  size_t width_ = 0;
  LinearLayer router_;
  std::vector<float> correction_;  // Added to scores for the choice only.
  std::vector<Expert> experts_;
  Expert shared_;
  LinearLayer shared_gate_;
};

}  // namespace holdfast::model
