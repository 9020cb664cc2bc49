#include <cmath>

#include "model/recurrent/layers.h"
#include "model/recurrent/strips.h"
#include "model/recurrent/token_taps.h"
#include "tensor/buffer.h"

namespace holdfast::model {
namespace {

// Where each output of [queries, keys, values, gates] lies where a key head's parts are together.
std::vector<size_t> rows_by_head(const RecurrentPlan& plan) {
  const size_t key = plan.key_width, values = plan.values() / plan.key_heads;
  const size_t each = 2 * key + 2 * values;
  std::vector<size_t> out;
  const auto part = [&](size_t from, size_t count) {
    for (size_t head = 0; head < plan.key_heads; ++head)
      for (size_t i = 0; i < count; ++i) out.push_back(head * each + from + i);
  };
  part(0, key);
  part(key, key);
  part(2 * key, values);
  part(2 * key + values, values);
  return out;
}

// Likewise of [learning rates, decays].
std::vector<size_t> rates_by_head(const RecurrentPlan& plan) {
  const size_t heads = plan.value_heads / plan.key_heads;
  std::vector<size_t> out;
  for (const size_t part : {size_t{0}, heads})
    for (size_t head = 0; head < plan.key_heads; ++head)
      for (size_t i = 0; i < heads; ++i) out.push_back(head * 2 * heads + part + i);
  return out;
}

std::vector<float> picked_rows(const std::vector<float>& from, const std::vector<size_t>& rows,
                               size_t width) {
  std::vector<float> out;
  out.reserve(rows.size() * width);
  for (const size_t row : rows) {
    const auto at = from.begin() + static_cast<std::ptrdiff_t>(row * width);
    out.insert(out.end(), at, at + static_cast<std::ptrdiff_t>(width));
  }
  return out;
}

// x / sqrt(sum of x * x + epsilon) * scale
void normalize_length(float* x, size_t count, float scale) {
  float sum = 0;
  for (size_t i = 0; i < count; ++i) sum += x[i] * x[i];
  const float factor = scale / std::sqrt(sum + 1e-6F);
  for (size_t i = 0; i < count; ++i) x[i] *= factor;
}

// What a token brings to one head.
struct Lesson {
  size_t keys, stride;
  const float *key, *query;
  float kept, rate;
};

// A strip of a state goes through its keys twice: once fading and read, once taught and read.
template <class Count>
void teach(float* state, Lesson lesson, const float* value, float* out, Count count) {
  float missed[strip_width] = {}, answers[strip_width] = {};
  for (size_t k = 0; k < lesson.keys; ++k) {
    float* line = state + k * lesson.stride;
    const float key = lesson.key[k];
    for (size_t i = 0; i < count; ++i) {
      line[i] *= lesson.kept;
      missed[i] += line[i] * key;
    }
  }
  for (size_t i = 0; i < count; ++i) missed[i] = (value[i] - missed[i]) * lesson.rate;
  for (size_t k = 0; k < lesson.keys; ++k) {
    float* line = state + k * lesson.stride;
    const float key = lesson.key[k], query = lesson.query[k];
    for (size_t i = 0; i < count; ++i) {
      line[i] += key * missed[i];
      answers[i] += line[i] * query;
    }
  }
  for (size_t i = 0; i < count; ++i) out[i] = answers[i];
}

// Yang et al. 2024: of each head a matrix of what to read by which key. A token lets it fade, reads what it
// has for the token's key, and adds a part of what differs from the token's value.
class GatedDelta final : public RecurrentLayer {
 public:
  static Result<std::unique_ptr<const RecurrentLayer>> load(const RecurrentPlan& plan, size_t width,
                                                            const std::string& at,
                                                            const WeightReader& reader) {
    auto out = std::make_unique<GatedDelta>();
    out->plan_ = plan;
    out->kernels_ = &tensor::kernels_for(reader.compute().isa);
    const size_t seen = out->seen_width(), heads = plan.value_heads;
    TRY(out->taps_, TokenTaps::load(reader, at + "conv1d", seen, plan.taps, Bias::without, plan.activation));
    // How fast a state fades is raised to the power of a text's length.
    const WeightReader exact = reader.with(tensor::Precision::f32);
    if (plan.layout == RecurrentPlan::Layout::by_head) {
      TRY(const std::vector<float> stored,
          reader.floats(at + "in_proj_qkvz.weight", {seen + plan.values(), width}));
      const std::vector<float> rows = picked_rows(stored, rows_by_head(plan), width);
      out->in_ = tensor::make_linear({rows, {}, seen + plan.values(), width}, reader.compute());
      TRY(const std::vector<float> both, reader.floats(at + "in_proj_ba.weight", {2 * heads, width}));
      const std::vector<float> rates = picked_rows(both, rates_by_head(plan), width);
      out->rates_ = tensor::make_linear({rates, {}, 2 * heads, width}, exact.compute());
    } else {
      TRY(out->in_,
          reader.joined({at + "in_proj_qkv", at + "in_proj_z"}, {seen, plan.values()}, width, Bias::without));
      TRY(out->rates_,
          exact.joined({at + "in_proj_b", at + "in_proj_a"}, {heads, heads}, width, Bias::without));
    }
    TRY(out->decay_, reader.floats(at + "A_log", {heads}));
    for (float& x : out->decay_) x = -std::exp(x);
    TRY(out->decay_bias_, reader.floats(at + "dt_bias", {heads}));
    TRY(out->norm_, reader.norm(at + "norm", plan.value_width, Bias::without));
    TRY(out->out_, reader.linear(at + "out_proj", width, plan.values(), Bias::without));
    return std::unique_ptr<const RecurrentLayer>(std::move(out));
  }

  size_t state_floats() const override {
    return taps_.state_floats() + plan_.value_heads * plan_.key_width * plan_.value_width;
  }

  void run(const Run& run) const override {
    const size_t rows = run.batch.tokens(), seen = seen_width(), joined = seen + plan_.values();
    tensor::Floats all(rows * joined), mixed(rows * seen), rates(rows * 2 * plan_.value_heads);
    tensor::Floats context(rows * plan_.values());
    multiply_rows(*in_, run.in, all.data(), rows, run.threads);
    multiply_rows(*rates_, run.in, rates.data(), rows, run.threads);
    taps_.run(run, all.data(), joined, mixed.data());
    run.threads.run(rows, [&](size_t row) {
      float* queries = mixed.data() + row * seen;
      const float even = 1.0F / std::sqrt(static_cast<float>(plan_.key_width));
      for (size_t head = 0; head < 2 * plan_.key_heads; ++head)
        normalize_length(queries + head * plan_.key_width, plan_.key_width,
                         head < plan_.key_heads ? even : 1.0F);
    });
    run.threads.run(run.batch.sequences() * plan_.value_heads, [&](size_t job) {
      const size_t sequence = job / plan_.value_heads, head = job % plan_.value_heads;
      if (run.batch.length(sequence) == 0) return;  // It may have no state yet.
      float* state = run.states[sequence] + taps_.state_floats() + head * plan_.key_width * plan_.value_width;
      for (size_t row = run.batch.starts[sequence]; row < run.batch.starts[sequence + 1]; ++row)
        step(state, head, mixed.data() + row * seen, rates.data() + row * 2 * plan_.value_heads,
             context.data() + row * plan_.values() + head * plan_.value_width);
    });
    run.threads.run(rows, [&](size_t row) {
      float* at = context.data() + row * plan_.values();
      float* gates = all.data() + row * joined + seen;
      kernels_->rms_norm({at, at, norm_.gamma.data(), norm_.beta.data(), plan_.value_heads, plan_.value_width,
                          plan_.epsilon});
      kernels_->activate(tensor::Activation::silu, gates, plan_.values());
      for (size_t i = 0; i < plan_.values(); ++i) at[i] *= gates[i];
    });
    multiply_rows(*out_, context.data(), run.out, rows, run.threads);
  }

 private:
  size_t seen_width() const { return 2 * plan_.keys() + plan_.values(); }

  // One token of one head: state [key_width, value_width].
  void step(float* state, size_t head, const float* mixed, const float* rates, float* out) const {
    const size_t keys = plan_.key_width, values = plan_.value_width;
    const size_t group = head / (plan_.value_heads / plan_.key_heads);
    const float* query = mixed + group * keys;
    const float* key = mixed + plan_.keys() + group * keys;
    const float* value = mixed + 2 * plan_.keys() + head * values;
    const float rate = 1.0F / (1.0F + std::exp(-rates[head]));
    const float kept =
        std::exp(decay_[head] * soft_plus(rates[plan_.value_heads + head] + decay_bias_[head]));
    by_strips(values, [&](size_t first, auto count) {
      teach(state + first, {keys, values, key, query, kept, rate}, value + first, out + first, count);
    });
  }

  RecurrentPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  TokenTaps taps_;
  LinearLayer in_, rates_, out_;
  std::vector<float> decay_, decay_bias_;
  Norm norm_;
};

}  // namespace

Result<std::unique_ptr<const RecurrentLayer>> load_gated_delta(const RecurrentPlan& plan, size_t width,
                                                               const std::string& at,
                                                               const WeightReader& reader) {
  return GatedDelta::load(plan, width, at, reader);
}

}  // namespace holdfast::model
