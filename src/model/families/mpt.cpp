#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

namespace {

void read_attention(ConfigReader& config, DecoderPlan& plan) {
  const boost::json::object* found = config.object("attn_config");
  if (found == nullptr) return;
  ConfigReader part(*found);
  plan.clip = part.number({"clip_qkv"}, 0);
  plan.scale = part.number({"softmax_scale"}, 0);
  // transformers never reads alibi_bias_max: its slopes are those of 8. GGUF has a key of its own.
  plan.alibi_most = part.number({"max_alibi_bias"}, 8);
  const bool plain = part.flag({"alibi"}, true) && plan.alibi_most > 0 && !part.flag({"qk_ln"}, false) &&
                     !part.flag({"prefix_lm"}, false) &&
                     part.text({"attn_type"}, "multihead_attention") == "multihead_attention";
  if (!plain)
    config.refuse(fail(Reason::model_unsupported, "config.json: this attn_config is not supported"));
  if (!part.status().ok()) config.refuse(part.status().error());
}

}  // namespace

// Slopes instead of positions, no bias anywhere, joined queries, keys and values.
void plan_mpt(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu", .epsilon = 1e-5, .tied = true});
  plan.inner = 4 * plan.width;  // Whatever expansion_ratio says, as transformers reads it.
  plan.prefixes = {"transformer."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.gated = false;
  plan.words = "wte";
  plan.layer_prefix = "blocks.";
  plan.query_key_value = "attn.Wqkv";
  plan.attention_out = "attn.out_proj";
  plan.up = "ffn.up_proj";
  plan.down = "ffn.down_proj";
  plan.attention_norm = "norm_1";
  plan.inner_norm = "norm_2";
  plan.final_norm = "norm_f";
  plan.alibi = true;
  read_attention(config, plan);
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
}

}  // namespace holdfast::model
