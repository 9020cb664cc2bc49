#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// DeepSeek's attention, its halves turning; factors on embeddings, branches and logits.
void plan_minicpm3(ConfigReader& config, DecoderPlan& plan) {
  plan_deepseek_attention(config, plan);
  if (!config.has("v_head_dim")) plan.value_width = plan.width / plan.heads;
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  plan.tied = config.flag({"tie_word_embeddings"}, true);
  const auto is_null = [&](std::string_view name) {
    const boost::json::value* value = config.json().if_contains(name);
    return value != nullptr && value->is_null();
  };
  plan.embedding_scale = config.number({"scale_emb"}, 12);
  if (!is_null("scale_depth"))
    plan.residual_scale =
        config.number({"scale_depth"}, 1.4) / std::sqrt(static_cast<float>(plan.layers.size()));
  if (!is_null("dim_model_base"))
    plan.logit_scale = config.number({"dim_model_base"}, 256) / static_cast<float>(plan.width);
}

}  // namespace holdfast::model
