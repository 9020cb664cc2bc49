// Decoder: weights into layers.
#include <fmt/format.h>

#include <cmath>

#include "model/decoder.h"

namespace holdfast::model {
namespace {

constexpr size_t loading_threads = 2;

// Press et al. 2021; heads beyond a power of two take the odd slopes of the next one. The last of a power of
// two is 2^-most, 8 there.
std::vector<float> alibi_slopes(size_t heads, double most) {
  size_t power = 1;
  while (power * 2 <= heads) power *= 2;
  const auto base = [most](size_t count) {
    return static_cast<float>(std::exp2(-most / static_cast<double>(count)));
  };
  std::vector<float> out;
  for (size_t i = 1; i <= power; ++i) out.push_back(std::pow(base(power), static_cast<float>(i)));
  for (size_t i = 1; out.size() < heads; i += 2)
    out.push_back(std::pow(base(2 * power), static_cast<float>(i)));
  return out;
}

}  // namespace

Status Decoder::load_outside(const DecoderWeights& weights) {
  const WeightReader& reader = weights.reader();
  TRY(words_, RowTable::load(reader, plan_.words + ".weight", plan_.vocabulary, plan_.embedding_width));
  const std::string position_name = plan_.position_table + ".weight";
  const bool computed = plan_.sinusoid != Sinusoid::none && !reader.has(position_name);
  if (!plan_.position_table.empty() && !computed) {
    TRY(positions_,
        RowTable::load(reader, position_name, plan_.positions + plan_.position_offset, plan_.width));
  }
  if (!plan_.embedding_norm.empty()) {
    TRY(embedding_norm_, weights.norm(plan_.embedding_norm, plan_.width, plan_.norm, plan_.norm_bias));
  }
  if (!plan_.final_norm.empty()) {
    TRY(final_norm_, weights.norm(plan_.final_norm, plan_.width, plan_.norm, plan_.norm_bias));
  }
  if (!plan_.project_in.empty()) {
    TRY(project_in_, weights.linear(plan_.project_in, plan_.width, plan_.embedding_width, Bias::without));
    TRY(project_out_, weights.linear(plan_.project_out, plan_.embedding_width, plan_.width, Bias::without));
  }
  if (plan_.alibi) slopes_ = alibi_slopes(plan_.heads, plan_.alibi_most);
  if (computed)
    positions_ = RowTable::of(
        sinusoid_rows(plan_.sinusoid, plan_.positions + plan_.position_offset, plan_.width), plan_.width);
  if (plan_.distance_bias && !plan_.distance_bias->own) {
    TRY(const DistanceBiasTable table,
        DistanceBiasTable::load(*plan_.distance_bias, plan_.heads, reader, Sides::past));
    by_distance_ = table.by_distance(table.reach_max());
  }
  if (plan_.distance_bias) reach_ = plan_.distance_bias->distance_max;
  return Done{};
}

Status Decoder::load_latent(const DecoderWeights& weights, const std::string& at, Layer& layer) const {
  const LatentPlan& plan = *plan_.latent;
  const size_t queries = plan_.heads * plan_.head_width;
  Latent out;
  if (plan.query_rank > 0) {
    TRY(out.query_down,
        weights.linear(at + "self_attn.q_a_proj", plan.query_rank, plan_.width, plan_.query_bias));
    TRY(out.query_norm,
        weights.norm(at + "self_attn.q_a_layernorm", plan.query_rank, plan_.norm, Bias::without));
    TRY(out.query_up, weights.linear(at + "self_attn.q_b_proj", queries, plan.query_rank, Bias::without));
  } else {
    TRY(out.query_up, weights.linear(at + "self_attn.q_proj", queries, plan_.width, Bias::without));
  }
  TRY(out.down, weights.linear(at + "self_attn.kv_a_proj_with_mqa", plan.rank + plan.rotary_width,
                               plan_.width, plan_.query_bias));
  TRY(out.norm, weights.norm(at + "self_attn.kv_a_layernorm", plan.rank, plan_.norm, Bias::without));
  TRY(out.up, weights.linear(at + "self_attn.kv_b_proj", plan_.heads * (plan.plain_width + plan_.value_width),
                             plan.rank, Bias::without));
  layer.latent = std::move(out);
  return Done{};
}

Status Decoder::load_attention(const DecoderWeights& weights, const std::string& at, Layer& layer) const {
  if (plan_.latent) {
    TRY_DONE(load_latent(weights, at, layer));
  } else {
    TRY(layer.query_key_value, weights.query_key_value(at));
  }
  if (plan_.query_gates) {
    TRY(layer.answer_gate, weights.query_gates(at));
  }
  TRY(layer.attention_out,
      weights.linear(at + plan_.attention_out, plan_.width, plan_.heads * plan_.value_width, plan_.out_bias));
  const auto head_norm = [&](const std::string& name, size_t heads) -> Result<Norm> {
    const size_t width = plan_.head_width;
    if (!plan_.head_norm_scales)
      return Norm{std::vector<float>(width, 1.0F), std::vector<float>(width, 0.0F)};
    if (plan_.head_norm == DecoderPlan::HeadNorm::each)
      return weights.norm(name, width, plan_.head_norm_kind, plan_.head_norm_bias);
    if (plan_.head_norm == DecoderPlan::HeadNorm::across)
      return weights.norm(name, heads * width, plan_.head_norm_kind, plan_.head_norm_bias);
    Norm out;
    out.beta.resize(heads * width, 0.0F);
    if (weights.reader().has(name + ".weight")) {
      TRY(out.gamma, weights.reader().floats(name + ".weight", {heads, width}));
      return out;
    }
    for (size_t i = 0; i < heads; ++i) {
      TRY(const Norm one,
          weights.norm(fmt::format("{}.norms.{}", name, i), width, plan_.head_norm_kind, Bias::without));
      out.gamma.insert(out.gamma.end(), one.gamma.begin(), one.gamma.end());
    }
    return out;
  };
  if (plan_.head_norm != DecoderPlan::HeadNorm::none) {
    TRY(layer.query_norm, head_norm(at + plan_.query_norm, plan_.heads));
    TRY(layer.key_norm, head_norm(at + plan_.key_norm, plan_.key_heads));
  }
  if (plan_.sinks) {
    TRY(layer.sinks, weights.reader().floats(at + "self_attn.sinks", {plan_.heads}));
  }
  return Done{};
}

Status Decoder::load_layer(const DecoderWeights& weights, size_t index, Layer& layer) const {
  const std::string at = fmt::format("{}{}.", plan_.layer_prefix, index);
  const auto norm = [&](const std::string& name, std::optional<Norm>& into) -> Status {
    if (name.empty()) return Done{};
    TRY(into, weights.norm(at + name, plan_.width, plan_.norm, plan_.norm_bias));
    return Done{};
  };
  const DecoderPlan::Layer& kind = plan_.layers[index];
  if (kind.attends || kind.recurrent) {
    if (kind.attention_norm) TRY_DONE(norm(plan_.attention_norm, layer.attention_norm));
    TRY_DONE(norm(plan_.attention_post_norm, layer.attention_post_norm));
  }
  if (kind.feeds) {
    TRY_DONE(norm(plan_.inner_norm, layer.inner_norm));
    TRY_DONE(norm(plan_.inner_post_norm, layer.inner_post_norm));
  }
  if (kind.recurrent) {
    TRY(layer.recurrent, load_recurrent_layer(*plan_.recurrent, plan_.width, at, weights.reader()));
  }
  if (kind.attends) {
    TRY_DONE(load_attention(weights, at, layer));
  }
  if (plan_.distance_bias && plan_.distance_bias->own) {
    DistanceBias own = *plan_.distance_bias;
    own.table = at + own.table;
    TRY(const DistanceBiasTable table,
        DistanceBiasTable::load(own, plan_.heads, weights.reader(), Sides::past));
    layer.by_distance = table.by_distance(table.reach_max());
  }
  if (plan_.cross) {
    TRY(layer.cross, CrossAttention::load(plan_, weights, at));
  }
  if (!kind.feeds) return Done{};
  if (plan_.experts && kind.experts) {
    TRY(layer.experts, Experts::load(plan_, weights, at));
    return Done{};
  }
  if (plan_.gated) {
    TRY(layer.inner,
        weights.gate_up(at + plan_.gate, at + plan_.up, plan_.gate_up.empty() ? "" : at + plan_.gate_up,
                        plan_.inner, plan_.inner_bias, plan_.gates_apart));
  } else {
    TRY(layer.inner, weights.linear(at + plan_.up, plan_.inner, plan_.width, plan_.inner_bias));
  }
  if (plan_.learned_activation) {
    TRY(layer.activation, LearnedActivation::load(weights.reader(), at + plan_.activation_numbers + "."));
  }
  TRY(layer.down, weights.linear(at + plan_.down, plan_.width, plan_.inner, plan_.inner_bias));
  return Done{};
}

Result<Decoder> Decoder::load(DecoderPlan plan, const WeightReader& reader) {
  Decoder out;
  out.plan_ = std::move(plan);
  out.compute_ = reader.compute();
  out.kernels_ = &tensor::kernels_for(out.compute_.isa);
  const DecoderPlan& made = out.plan_;
  // Bfloat16 only where products take it as it is: there attention of few rows gains by it as well.
  const bool pairs =
      out.compute_.precision != tensor::Precision::f32 && tensor::takes_halves(out.compute_.isa);
  out.spaces_ = std::make_unique<ScratchPool<Space>>();
  const DecoderWeights weights(out.plan_, reader);
  TRY_DONE(out.load_outside(weights));
  // Layers are packed beside each other: it is what opening waits for.
  out.layers_.resize(out.plan_.layers.size());
  std::vector<Status> done(out.layers_.size(), Done{});
  const auto threads = tensor::make_threads(loading_threads);
  threads->run(out.layers_.size(),
               [&](size_t index) { done[index] = out.load_layer(weights, index, out.layers_[index]); });
  for (Status& one : done) TRY_DONE(std::move(one));
  size_t with_keys = 0, state_floats = 0;
  for (size_t i = 0; i < out.layers_.size(); ++i) {
    Layer& layer = out.layers_[i];
    layer.key_place = with_keys;
    layer.state_place = state_floats;
    if (made.layers[i].attends) ++with_keys;
    if (layer.recurrent != nullptr) state_floats += layer.recurrent->state_floats();
  }
  out.pages_ = std::make_unique<const KvPool>(
      tensor::PageShape{with_keys, made.key_heads, made.head_width, made.value_width, pairs}, state_floats);
  return out;
}

}  // namespace holdfast::model
