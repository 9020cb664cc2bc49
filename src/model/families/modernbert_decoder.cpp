#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// ModernBERT that sees the past alone: rotary positions of two kinds, a window in most layers, and a dense
// layer before every head.
void plan_modernbert_decoder(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan,
                     {.activation = "gelu",
                      .epsilon = 1e-5,
                      .tied = true,
                      .width = 768,
                      .heads = 12,
                      .layers = 22,
                      .vocabulary = 50'368,
                      .positions = 8'192,
                      .inner = 1'152});
  plan.activation = activation_of(config, config.text({"hidden_activation", "hidden_act"}, "gelu"));
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = bias_if(config.flag({"norm_bias"}, false));
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  plan.head_bias = bias_if(config.flag({"decoder_bias"}, true));
  plan.words = "embeddings.tok_embeddings";
  plan.embedding_norm = "embeddings.norm";
  plan.query = "attn.q_proj";
  plan.key = "attn.k_proj";
  plan.value = "attn.v_proj";
  plan.attention_out = "attn.Wo";
  plan.attention_norm = "attn_norm";
  plan.gate_up = plan.gate = plan.up = "mlp.Wi";
  plan.down = "mlp.Wo";
  plan.inner_norm = "mlp_norm";
  plan.final_norm = "final_norm";
  plan.head = "decoder";
  const std::string step = plan.head_kind == DecoderPlan::Head::language ? "lm_head" : "head";
  plan.before_head = DecoderPlan::HeadStep{
      step + ".dense", step + ".norm", activation_of(config, config.text({"classifier_activation"}, "gelu")),
      bias_if(config.flag({"classifier_bias"}, false))};
  plan.ropes = {
      read_rope(config, plan.head_width, {config.number({"global_rope_theta"}, 160'000)}, "full_attention"),
      read_rope(config, plan.head_width, {config.number({"local_rope_theta"}, 10'000)}, "sliding_attention")};
  const size_t window = config.size({"local_attention"}, 128, 1 << 24) / 2;
  if (window == 0)
    config.refuse(fail(Reason::bad_request, "config.json: local_attention must be at least 2"));
  set_windows(
      config, plan, window, [](size_t layer, size_t every) { return layer % every != 0; },
      config.size({"global_attn_every_n_layers"}, 3, 1'024));
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = layer.window > 0 ? 1 : 0;
  plan.layers[0].attention_norm = false;
}

}  // namespace holdfast::model
