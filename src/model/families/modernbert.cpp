#include <boost/json/array.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {
namespace {

// Which layers look at their neighbourhood only, in either spelling.
std::vector<bool> local_layers(ConfigReader& config, size_t layers) {
  std::vector<bool> out(layers);
  if (const boost::json::array* types = config.array("layer_types"); types != nullptr) {
    if (types->size() != layers)
      config.refuse(fail(Reason::bad_request, "config.json: layer_types is not one a layer"));
    for (size_t i = 0; i < std::min(layers, types->size()); ++i)
      out[i] = (*types)[i].is_string() && (*types)[i].get_string() == "sliding_attention";
    return out;
  }
  const size_t every = config.size({"global_attn_every_n_layers"}, 3, 1'024);
  for (size_t i = 0; i < layers; ++i) out[i] = i % every != 0;
  return out;
}

}  // namespace

// Rotary positions of two kinds, a window in most layers, gated, norms first and without shift.
void plan_modernbert(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation = {"hidden_activation", "hidden_act"};
  const size_t layers = read_sizes(config, plan, keys);
  plan.types = 0;
  plan.epsilon = config.number({"norm_eps"}, 1e-5);
  plan.norm_place = EncoderPlan::NormPlace::before;
  const auto bias = [&](std::string_view name) {
    return config.flag({name}, false) ? Bias::with : Bias::without;
  };
  plan.norm_bias = bias("norm_bias");
  plan.attention_bias = bias("attention_bias");
  plan.inner_bias = bias("mlp_bias");
  plan.position_kind = EncoderPlan::Positions::none;
  plan.gated = true;
  plan.prefixes = {"model."};
  plan.words = "embeddings.tok_embeddings";
  plan.embedding_norm = "embeddings.norm";
  plan.query_key_value = "attn.Wqkv";
  plan.query = plan.key = plan.value = plan.query_key_value;
  plan.attention_out = "attn.Wo";
  plan.attention_norm = "attn_norm";
  plan.gate_up = plan.gate = plan.up = "mlp.Wi";
  plan.out = "mlp.Wo";
  plan.out_norm = "mlp_norm";
  plan.final_norm = "final_norm";
  add_layers(plan, "layers.", layers);
  plan.ropes = {
      read_rope(config, plan.head_width, {config.number({"global_rope_theta"}, 160'000)}, "full_attention"),
      read_rope(config, plan.head_width, {config.number({"local_rope_theta"}, 10'000)}, "sliding_attention")};
  const std::vector<bool> local = local_layers(config, layers);
  const size_t window = config.size({"local_attention"}, 128, 1 << 24) / 2;
  for (size_t i = 0; i < layers; ++i) {
    plan.layers[i].attention_norm = i > 0;
    plan.layers[i].rope = local[i] ? 1 : 0;
    plan.layers[i].window = local[i] ? window : 0;
  }
  HeadStep step = {"head.dense",
                   plan.width,
                   read_activation(config, {"classifier_activation"}, "gelu"),
                   "head.norm",
                   bias("classifier_bias"),
                   plan.norm_bias};
  HeadNames heads;
  heads.pooled = step;
  if (config.text({"classifier_pooling"}, "cls") == "mean") heads.pooled_rows = HeadPlan::Rows::mean;
  heads.before_each = {step};
  heads.answer = "classifier";
  heads.fill_mask = {step,
                     {.linear = "decoder",
                      .outputs = plan.vocabulary,
                      .bias = config.flag({"decoder_bias"}, true) ? Bias::with : Bias::without,
                      .tied = plan.words}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
