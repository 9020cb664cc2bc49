#include <algorithm>
#include <boost/json/array.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

namespace {

// attention_layers names each layer; attention_types, [[["global", "local"], 12]], repeats names.
std::vector<bool> local_layers(ConfigReader& config, size_t layers) {
  std::vector<bool> out;
  const auto add = [&](const boost::json::value& name) {
    const std::string_view text = name.is_string() ? std::string_view(name.get_string()) : "";
    if (text != "global" && text != "local")
      config.refuse(fail(Reason::model_unsupported, "config.json: a kind of attention is not known"));
    if (out.size() <= layers) out.push_back(text == "local");
  };
  if (const boost::json::array* named = config.array("attention_layers"); named != nullptr) {
    for (const boost::json::value& one : *named) add(one);
  } else if (const boost::json::array* types = config.array("attention_types"); types != nullptr) {
    for (const boost::json::value& one : *types) {
      const boost::json::array* pair = one.if_array();
      if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_array() || !(*pair)[1].is_int64()) continue;
      // Names may be none, however often they are repeated.
      const auto most = static_cast<int64_t>(layers);
      for (int64_t i = 0; i < std::min((*pair)[1].get_int64(), most) && out.size() < layers; ++i)
        for (const boost::json::value& name : (*pair)[0].get_array()) add(name);
    }
  } else {
    for (size_t i = 0; i < layers; ++i) out.push_back(i % 2 != 0);
  }
  if (out.size() != layers)
    config.refuse(fail(Reason::bad_request, "config.json: the kinds of attention are not one a layer"));
  out.resize(layers);
  return out;
}

}  // namespace

// A table of positions, scores without a scale, a window in every other layer.
void plan_gpt_neo(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu_new", .epsilon = 1e-5, .tied = true});
  plan.prefixes = {"transformer."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.out_bias = plan.inner_bias = Bias::with;
  plan.gated = false;
  plan.scale = 1;
  plan.words = "wte";
  plan.position_table = "wpe";
  plan.layer_prefix = "h.";
  plan.query = "attn.attention.q_proj";
  plan.key = "attn.attention.k_proj";
  plan.value = "attn.attention.v_proj";
  plan.attention_out = "attn.attention.out_proj";
  plan.up = "mlp.c_fc";
  plan.down = "mlp.c_proj";
  plan.attention_norm = "ln_1";
  plan.inner_norm = "ln_2";
  plan.final_norm = "ln_f";
  const size_t window = config.size({"window_size"}, 256, 1 << 30);
  const std::vector<bool> local = local_layers(config, plan.layers.size());
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    plan.layers[i].rope = -1;
    plan.layers[i].window = local[i] ? window : 0;
  }
}

}  // namespace holdfast::model
