#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Half of each head turns; DeepSeek's experts after the first layers.
void plan_glm4_moe(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8});
  plan.query_bias = bias_if(config.flag({"attention_bias"}, false));
  if (config.flag({"use_qk_norm"}, false)) plan.head_norm = DecoderPlan::HeadNorm::each;
  add_rope(config, plan, {.part = 0.5});
  add_grouped_experts(config, plan, {.count = 128, .picked = 8, .inner = 1'408, .factor = 1, .dense = 1});
}

// Qwen3's attention before such experts.
void plan_dots1(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.key_heads = 32});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::each;
  add_rope(config, plan, {});
  set_windows(
      config, plan, read_window(config, 4'096), [](size_t layer, size_t first) { return layer >= first; },
      config.size_or_zero({"max_window_layers"}, 62, 1'024));
  add_grouped_experts(config, plan,
                      {.count = 128, .picked = 6, .inner = 1'408, .factor = 1, .normalized = false});
}

// DeepSeek's attention before such experts.
void plan_glm4_moe_lite(ConfigReader& config, DecoderPlan& plan) {
  plan_deepseek_attention(config, plan);
  if (config.flag({"rope_interleave"}, true)) plan.ropes[0].pairs = tensor::RopePairs::neighbours;
  add_grouped_experts(config, plan, {.count = 64, .picked = 4, .inner = 1'536, .factor = 1.8, .dense = 1});
}

// Llama's attention before such experts, in every layer.
void plan_solar_open(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8, .head_width = 128});
  plan.query_bias = bias_if(config.flag({"attention_bias"}, false));
  add_rope(config, plan, {1'000'000});
  add_grouped_experts(config, plan, {.count = 128, .picked = 8, .inner = 1'280});
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
