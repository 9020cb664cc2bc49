#include <algorithm>
#include <cmath>

#include "model/recurrent/layers.h"
#include "model/recurrent/token_taps.h"
#include "tensor/buffer.h"

namespace holdfast::model {
namespace {

// Mamba (Gu and Dao 2023): every number has states that fade each at its own pace, as fast as the token says.
class SelectiveSpace final : public RecurrentLayer {
 public:
  static Result<std::unique_ptr<const RecurrentLayer>> load(const RecurrentPlan& plan, size_t width,
                                                            const std::string& at,
                                                            const WeightReader& reader) {
    auto out = std::make_unique<SelectiveSpace>();
    out->plan_ = plan;
    out->kernels_ = &tensor::kernels_for(reader.compute().isa);
    const size_t inner = plan.value_width, states = plan.key_width, rank = plan.rank;
    TRY(out->taps_,
        TokenTaps::load(reader, at + "conv1d", inner, plan.taps, plan.convolution_bias, plan.activation));
    TRY(out->in_, reader.linear(at + "in_proj", 2 * inner, width, plan.bias));
    // How fast a state fades is raised to the power of a text's length.
    const WeightReader exact = reader.with(tensor::Precision::f32);
    TRY(out->choose_, exact.linear(at + "x_proj", rank + 2 * states, inner, Bias::without));
    TRY(out->steps_, exact.linear(at + "dt_proj", inner, rank, Bias::with));
    TRY(std::vector<float> decay, reader.floats(at + "A_log", {inner, states}));
    out->decay_.resize(decay.size());
    for (size_t i = 0; i < inner; ++i)
      for (size_t k = 0; k < states; ++k) out->decay_[k * inner + i] = -std::exp(decay[i * states + k]);
    TRY(out->through_, reader.floats(at + "D", {inner}));
    if (plan.choice_norms == RecurrentPlan::ChoiceNorms::scaled) {
      TRY(out->step_norm_, reader.norm(at + "dt_layernorm", rank, Bias::without));
      TRY(out->write_norm_, reader.norm(at + "b_layernorm", states, Bias::without));
      TRY(out->read_norm_, reader.norm(at + "c_layernorm", states, Bias::without));
    } else {
      const std::vector<float> ones(std::max(rank, states), 1.0F), zeros(ones.size(), 0.0F);
      out->step_norm_ = out->write_norm_ = out->read_norm_ = {ones, zeros};
    }
    TRY(out->out_, reader.linear(at + "out_proj", width, inner, plan.bias));
    return std::unique_ptr<const RecurrentLayer>(std::move(out));
  }

  size_t state_floats() const override { return taps_.state_floats() + plan_.key_width * plan_.value_width; }

  void run(const Run& run) const override {
    const size_t rows = run.batch.tokens(), inner = plan_.value_width,
                 chosen = plan_.rank + 2 * plan_.key_width;
    tensor::Floats all(rows * 2 * inner), mixed(rows * inner), choices(rows * chosen),
        ranks(rows * plan_.rank);
    tensor::Floats steps(rows * inner);
    multiply_rows(*in_, run.in, all.data(), rows, run.threads);
    taps_.run(run, all.data(), 2 * inner, mixed.data());
    multiply_rows(*choose_, mixed.data(), choices.data(), rows, run.threads);
    for (size_t row = 0; row < rows; ++row) {
      float* at = choices.data() + row * chosen;
      if (plan_.choice_norms != RecurrentPlan::ChoiceNorms::none) {
        normalize(step_norm_, at, plan_.rank);
        normalize(write_norm_, at + plan_.rank, plan_.key_width);
        normalize(read_norm_, at + plan_.rank + plan_.key_width, plan_.key_width);
      }
      std::copy_n(at, plan_.rank, ranks.data() + row * plan_.rank);
    }
    multiply_rows(*steps_, ranks.data(), steps.data(), rows, run.threads);
    const size_t blocks = (inner + block_width - 1) / block_width;
    run.threads.run(run.batch.sequences() * blocks, [&](size_t job) {
      const size_t sequence = job / blocks, first = job % blocks * block_width;
      if (run.batch.length(sequence) == 0) return;  // It may have no state yet.
      float* state = run.states[sequence] + taps_.state_floats();
      for (size_t row = run.batch.starts[sequence]; row < run.batch.starts[sequence + 1]; ++row)
        step(state, first, std::min(block_width, inner - first), choices.data() + row * chosen + plan_.rank,
             steps.data() + row * inner, mixed.data() + row * inner);
    });
    run.threads.run(rows, [&](size_t row) {
      float* gates = all.data() + row * 2 * inner + inner;
      kernels_->activate(tensor::Activation::silu, gates, inner);
      for (size_t i = 0; i < inner; ++i) mixed.data()[row * inner + i] *= gates[i];
    });
    multiply_rows(*out_, mixed.data(), run.out, rows, run.threads);
  }

 private:
  static constexpr size_t block_width = 64;

  void normalize(const Norm& norm, float* at, size_t width) const {
    kernels_->rms_norm({at, at, norm.gamma.data(), norm.beta.data(), 1, width, plan_.epsilon});
  }

  // Some numbers of one token: state [states, inner]; values become answers.
  void step(float* state, size_t first, size_t count, const float* writes, const float* steps,
            float* values) const {
    const size_t inner = plan_.value_width, states = plan_.key_width;
    const float* reads = writes + states;
    float answers[block_width], paces[block_width];
    for (size_t i = 0; i < count; ++i) {
      paces[i] = soft_plus(steps[first + i]);
      answers[i] = values[first + i] * through_[first + i];
    }
    for (size_t k = 0; k < states; ++k) {
      float* line = state + k * inner + first;
      const float* decay = decay_.data() + k * inner + first;
      for (size_t i = 0; i < count; ++i) {
        line[i] = line[i] * std::exp(paces[i] * decay[i]) + paces[i] * writes[k] * values[first + i];
        answers[i] += line[i] * reads[k];
      }
    }
    std::copy_n(answers, count, values + first);
  }

  RecurrentPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  TokenTaps taps_;
  LinearLayer in_, choose_, steps_, out_;
  std::vector<float> decay_, through_;  // [states, inner], [inner]
  Norm step_norm_, write_norm_, read_norm_;
};

}  // namespace

Result<std::unique_ptr<const RecurrentLayer>> load_selective_space(const RecurrentPlan& plan, size_t width,
                                                                   const std::string& at,
                                                                   const WeightReader& reader) {
  return SelectiveSpace::load(plan, width, at, reader);
}

}  // namespace holdfast::model
