#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// The scale of scores that yarn's mscale_all_dim asks for.
float stretched_scale(ConfigReader& config, float scale) {
  const boost::json::object* part = config.object("rope_scaling");
  if (part == nullptr) part = config.object("rope_parameters");
  if (part == nullptr) return scale;
  ConfigReader rope(*part);
  const float all = rope.number({"mscale_all_dim"}, 0), factor = rope.number({"factor"}, 1);
  if (rope.text({"rope_type", "type"}, "default") == "default" || all == 0 || factor <= 1) return scale;
  const float magnitude = 0.1F * all * std::log(factor) + 1.0F;
  return scale * magnitude * magnitude;
}

}  // namespace

// Keys and values from a compressed row.
void plan_deepseek_attention(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.head_width = 64});
  LatentPlan latent;
  latent.query_rank =
      config.json().if_contains("q_lora_rank") != nullptr ? config.size_or_zero({"q_lora_rank"}, 0) : 1'536;
  latent.rank = config.size({"kv_lora_rank"}, 512);
  latent.plain_width = config.size({"qk_nope_head_dim"}, 128, 4'096);
  latent.rotary_width = config.size({"qk_rope_head_dim"}, 64, 4'096);
  plan.latent = latent;
  plan.head_width = latent.plain_width + latent.rotary_width;
  plan.value_width = config.size({"v_head_dim"}, 128, 4'096);
  plan.key_heads = plan.heads;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.scale = stretched_scale(config, 1.0F / std::sqrt(static_cast<float>(plan.head_width)));
  plan.ropes = {read_rope(config, latent.rotary_width, {})};
}

// Experts in groups, picked by sigmoids.
void plan_deepseek_v3(ConfigReader& config, DecoderPlan& plan) {
  plan_deepseek_attention(config, plan);
  if (config.flag({"rope_interleave"}, true)) plan.ropes[0].pairs = tensor::RopePairs::neighbours;
  add_grouped_experts(config, plan,
                      {.count = 256,
                       .picked = 8,
                       .inner = 2'048,
                       .groups = 8,
                       .groups_picked = 4,
                       .factor = 2.5,
                       .dense = 3});
}

// Its attention in Llama's place.
void plan_youtu(ConfigReader& config, DecoderPlan& plan) {
  plan_deepseek_attention(config, plan);
  plan.tied = config.flag({"tie_word_embeddings"}, true);
  if (config.flag({"rope_interleave"}, true)) plan.ropes[0].pairs = tensor::RopePairs::neighbours;
}

}  // namespace holdfast::model
