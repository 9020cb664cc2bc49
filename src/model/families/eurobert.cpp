#include <algorithm>
#include <boost/json/array.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {
namespace {

// Llama's layers seeing both ways, but for their rotary positions and heads.
void plan_layers(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation_fallback = "silu";
  const size_t layers = read_sizes(config, plan, keys);
  plan.types = 0;
  plan.epsilon = config.number({"rms_norm_eps"}, 1e-5);
  plan.head_width = config.size({"head_dim"}, plan.head_width, 16'384);
  plan.key_heads = config.size({"num_key_value_heads"}, plan.heads, 1'024);
  if (plan.heads % plan.key_heads != 0)
    config.refuse(fail(Reason::bad_request, "config.json: num_key_value_heads does not divide the heads"));
  plan.positions = config.size({"max_position_embeddings"}, 8'192, 1 << 24);
  plan.position_kind = EncoderPlan::Positions::none;
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.norm_kind = EncoderPlan::NormKind::root_mean_square;
  plan.norm_bias = Bias::without;
  plan.attention_bias = config.flag({"attention_bias"}, false) ? Bias::with : Bias::without;
  plan.inner_bias = config.flag({"mlp_bias"}, false) ? Bias::with : Bias::without;
  plan.gated = true;
  plan.prefixes = {"model."};
  plan.words = "embed_tokens";
  plan.query = "self_attn.q_proj";
  plan.key = "self_attn.k_proj";
  plan.value = "self_attn.v_proj";
  plan.attention_out = "self_attn.o_proj";
  plan.attention_norm = "input_layernorm";
  plan.gate = "mlp.gate_proj";
  plan.up = "mlp.up_proj";
  plan.out = "mlp.down_proj";
  plan.out_norm = "post_attention_layernorm";
  plan.final_norm = "norm";
  add_layers(plan, "layers.", layers);
}

// Which layers see near tokens only, in either spelling: layer_types, or attention_windows with a number or
// null a layer, of which the first number is the window.
std::vector<bool> near_layers(ConfigReader& config, size_t layers, size_t& window) {
  std::vector<bool> out(layers);
  for (size_t i = 0; i < layers; ++i) out[i] = (i + 1) % 3 != 0;
  const boost::json::array* windows = config.array("attention_windows");
  const boost::json::array* types = config.array("layer_types");
  const boost::json::array* said = types != nullptr ? types : windows;
  if (windows != nullptr)
    for (const boost::json::value& one : *windows)
      if (one.is_int64() && one.get_int64() > 0 && one.get_int64() < 1 << 24) {
        window = static_cast<size_t>(one.get_int64());
        break;
      }
  if (said == nullptr) return out;
  if (said->size() != layers)
    config.refuse(fail(Reason::bad_request, "config.json: layer_types is not one a layer"));
  for (size_t i = 0; i < std::min(layers, said->size()); ++i) {
    const boost::json::value& one = (*said)[i];
    out[i] = types != nullptr ? one.is_string() && one.get_string() == "sliding_attention"
                              : one.is_int64() && one.get_int64() > 0;
  }
  return out;
}

// rope_theta may be a list with a number a layer; of each kind of layer the last one counts.
RopeSpec rope_of(ConfigReader& config, const EncoderPlan& plan, const std::vector<bool>& near, bool of_near) {
  const double usual = of_near ? 10'000.0 : 2'560'000.0;
  const boost::json::value* thetas = config.json().if_contains("rope_theta");
  if (thetas == nullptr || !thetas->is_array() || config.object("rope_parameters") != nullptr)
    return read_rope(config, plan.head_width, {usual}, of_near ? "sliding_attention" : "full_attention");
  RopeSpec out;
  out.dims = plan.head_width;
  out.theta = usual;
  const boost::json::array& each = thetas->get_array();
  for (size_t i = 0; i < std::min(near.size(), each.size()); ++i)
    if (near[i] == of_near && each[i].is_number()) out.theta = each[i].to_number<double>();
  return out;
}

}  // namespace

void plan_eurobert(ConfigReader& config, EncoderPlan& plan) {
  plan_layers(config, plan);
  plan.ropes = {read_rope(config, plan.head_width, {10'000})};
  for (EncoderPlan::LayerKind& layer : plan.layers) layer.rope = 0;
  HeadNames heads;
  heads.pooled = {"dense", plan.width, Activation::gelu};
  const std::string pooling = config.text({"classifier_pooling"}, "late");
  heads.pooled_rows = pooling == "bos"    ? HeadPlan::Rows::first
                      : pooling == "mean" ? HeadPlan::Rows::mean
                                          : HeadPlan::Rows::late;
  heads.fill_mask = {
      {.linear = "lm_head", .outputs = plan.vocabulary, .bias = plan.inner_bias, .tied = plan.words}};
  add_heads(config, plan, heads);
}

// EuroBERT with a window and rotary positions of their own in most layers.
void plan_ultrabert(ConfigReader& config, EncoderPlan& plan) {
  plan_layers(config, plan);
  plan.prefixes = {"ultrabert.", "model."};
  plan.renames = {{"head.decoder", "cls"}};
  plan.epsilon = config.number({"rms_norm_eps"}, 1e-6);
  plan.positions = config.size({"max_position_embeddings"}, 32'768, 1 << 24);
  size_t window = config.size({"sliding_window"}, 128, 1 << 24);
  const std::vector<bool> near = near_layers(config, plan.layers.size(), window);
  plan.ropes = {rope_of(config, plan, near, false), rope_of(config, plan, near, true)};
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    plan.layers[i].rope = near[i] ? 1 : 0;
    plan.layers[i].window = near[i] ? window : 0;
  }
  const size_t wide = config.size({"prediction_head_size"}, 768, 131'072);
  HeadNames heads;
  heads.pooled = {"", plan.width};
  if (config.text({"classifier_pooling"}, "cls") == "mean") heads.pooled_rows = HeadPlan::Rows::mean;
  heads.fill_mask = {
      {.linear = "head.linear1", .outputs = wide, .activation = Activation::gelu_tanh, .bias = Bias::without},
      {.linear = "head.linear2",
       .outputs = plan.width,
       .activation = Activation::gelu_tanh,
       .bias = Bias::without},
      {.linear = "head.decoder", .outputs = plan.vocabulary, .bias = Bias::without, .tied = plan.words}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
