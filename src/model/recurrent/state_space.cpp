#include <algorithm>
#include <cmath>

#include "model/recurrent/layers.h"
#include "model/recurrent/strips.h"
#include "model/recurrent/token_taps.h"
#include "tensor/buffer.h"

namespace holdfast::model {
namespace {

// What a token brings to one head.
struct Step {
  size_t keys, stride;
  const float *writes, *reads;
  float kept, pace, through;
};

// A strip of a state fades, takes the token in and is read.
template <class Count>
void fade(float* state, Step step, const float* value, float* out, Count count) {
  float values[strip_width] = {}, answers[strip_width] = {};
  for (size_t i = 0; i < count; ++i) {
    values[i] = value[i];
    answers[i] = values[i] * step.through;
  }
  for (size_t k = 0; k < step.keys; ++k) {
    float* line = state + k * step.stride;
    const float written = step.writes[k] * step.pace, read = step.reads[k];
    for (size_t i = 0; i < count; ++i) {
      line[i] = line[i] * step.kept + written * values[i];
      answers[i] += line[i] * read;
    }
  }
  for (size_t i = 0; i < count; ++i) out[i] = answers[i];
}

// Mamba 2 (Dao and Gu 2024): each number of a head has a state that fades at the head's pace; B writes it, C
// reads it.
class StateSpace final : public RecurrentLayer {
 public:
  static Result<std::unique_ptr<const RecurrentLayer>> load(const RecurrentPlan& plan, size_t width,
                                                            const std::string& at,
                                                            const WeightReader& reader) {
    auto out = std::make_unique<StateSpace>();
    out->plan_ = plan;
    out->kernels_ = &tensor::kernels_for(reader.compute().isa);
    const size_t seen = out->seen_width(), heads = plan.value_heads, inner = plan.values();
    TRY(out->taps_,
        TokenTaps::load(reader, at + "conv1d", seen, plan.taps, plan.convolution_bias, plan.activation));
    const size_t joined = inner + seen + heads;
    TRY(std::vector<float> rows, reader.floats(at + "in_proj.weight", {joined, width}));
    std::vector<float> biases;
    if (plan.bias == Bias::with) {
      TRY(biases, reader.floats(at + "in_proj.bias", {joined}));
    }
    out->scale_rows(rows, width, plan.in_scale);
    out->scale_rows(biases, 1, 1);
    // How fast a state fades is raised to the power of a text's length: the last rows stay exact.
    const size_t first = joined - heads;
    const std::span<const float> all(rows), shifts(biases);
    const bool has_bias = !biases.empty();
    out->in_ = tensor::make_linear(
        {all.first(first * width), has_bias ? shifts.first(first) : shifts, first, width}, reader.compute());
    out->steps_ = tensor::make_linear(
        {all.subspan(first * width), has_bias ? shifts.subspan(first) : shifts, heads, width},
        reader.with(tensor::Precision::f32).compute());
    TRY(out->decay_, reader.floats(at + "A_log", {heads}));
    for (float& x : out->decay_) x = -std::exp(x);
    TRY(out->step_bias_, reader.floats(at + "dt_bias", {heads}));
    TRY(out->through_, reader.floats(at + "D", {heads}));
    if (plan.gate_norm != RecurrentPlan::GateNorm::none) {
      TRY(out->norm_, reader.norm(at + "norm", inner, Bias::without));
    }
    TRY(out->out_, reader.linear(at + "out_proj", width, inner, plan.out_bias));
    out->width_ = width;
    return std::unique_ptr<const RecurrentLayer>(std::move(out));
  }

  size_t state_floats() const override {
    return taps_.state_floats() + plan_.value_heads * plan_.key_width * plan_.value_width;
  }

  void run(const Run& run) const override {
    const size_t rows = run.batch.tokens(), seen = seen_width(), inner = plan_.values();
    const size_t joined = inner + seen;
    tensor::Floats all(rows * joined), mixed(rows * seen), steps(rows * plan_.value_heads);
    tensor::Floats context(rows * inner);
    multiply_rows(*in_, run.in, all.data(), rows, run.threads);
    multiply_rows(*steps_, run.in, steps.data(), rows, run.threads);
    taps_.run(run, all.data() + inner, joined, mixed.data());
    run.threads.run(run.batch.sequences() * plan_.value_heads, [&](size_t job) {
      const size_t sequence = job / plan_.value_heads, head = job % plan_.value_heads;
      if (run.batch.length(sequence) == 0) return;  // It may have no state yet.
      float* state = run.states[sequence] + taps_.state_floats() + head * plan_.key_width * plan_.value_width;
      for (size_t row = run.batch.starts[sequence]; row < run.batch.starts[sequence + 1]; ++row)
        step(state, head, mixed.data() + row * seen, steps.data()[row * plan_.value_heads + head],
             context.data() + row * inner + head * plan_.value_width);
    });
    run.threads.run(rows, [&](size_t row) {
      float* at = context.data() + row * inner;
      float* gates = all.data() + row * joined;
      kernels_->activate(tensor::Activation::silu, gates, inner);
      if (plan_.gate_norm == RecurrentPlan::GateNorm::before_gate) normalize_groups(at);
      for (size_t i = 0; i < inner; ++i) at[i] *= gates[i];
      if (plan_.gate_norm == RecurrentPlan::GateNorm::after_gate) normalize_groups(at);
    });
    multiply_rows(*out_, context.data(), run.out, rows, run.threads);
    if (plan_.out_scale != 1.0F)
      for (size_t i = 0; i < rows * width_; ++i) run.out[i] *= plan_.out_scale;
  }

 private:
  size_t seen_width() const { return plan_.values() + 2 * plan_.keys(); }

  // Rows of [gates, values, writes, reads, paces] times the plan's factors.
  void scale_rows(std::vector<float>& rows, size_t width, float all) const {
    const size_t ends[] = {plan_.values(), 2 * plan_.values(), 2 * plan_.values() + plan_.keys(),
                           2 * plan_.values() + 2 * plan_.keys(), rows.size() / width};
    size_t at = 0;
    for (size_t part = 0; part < 5; ++part)
      for (; at < ends[part] * width && at < rows.size(); ++at) rows[at] *= all * plan_.part_scales[part];
  }

  void normalize_groups(float* at) const {
    const size_t group = plan_.values() / plan_.key_heads;
    for (size_t first = 0; first < plan_.values(); first += group)
      kernels_->rms_norm({at + first, at + first, norm_.gamma.data() + first, norm_.beta.data() + first, 1,
                          group, plan_.epsilon});
  }

  // One token of one head: state [key_width, value_width].
  void step(float* state, size_t head, const float* mixed, float raw, float* out) const {
    const size_t keys = plan_.key_width, values = plan_.value_width;
    const size_t group = head / (plan_.value_heads / plan_.key_heads);
    const float* value = mixed + head * values;
    const float* writes = mixed + plan_.values() + group * keys;
    const float* reads = writes + plan_.keys();
    const float step = std::max(soft_plus(raw + step_bias_[head]), plan_.pace_min),
                kept = std::exp(step * decay_[head]);
    by_strips(values, [&](size_t first, auto count) {
      fade(state + first, {keys, values, writes, reads, kept, step, through_[head]}, value + first,
           out + first, count);
    });
  }

  RecurrentPlan plan_;
  size_t width_ = 0;
  const tensor::Kernels* kernels_ = nullptr;
  TokenTaps taps_;
  LinearLayer in_, steps_, out_;
  std::vector<float> decay_, step_bias_, through_;
  Norm norm_;
};

}  // namespace

Result<std::unique_ptr<const RecurrentLayer>> load_state_space(const RecurrentPlan& plan, size_t width,
                                                               const std::string& at,
                                                               const WeightReader& reader) {
  return StateSpace::load(plan, width, at, reader);
}

}  // namespace holdfast::model
