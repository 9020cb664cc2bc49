#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// Also xlm-roberta and camembert. Positions count past the padding id.
void plan_roberta(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.prefixes = {"roberta.", "camembert."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  plan.position_kind = EncoderPlan::Positions::past_padding;
  plan.pad_id = static_cast<int64_t>(config.size_or_zero({"pad_token_id"}, 1, 4'000'000));
  add_position_table(config, plan, static_cast<size_t>(plan.pad_id) + 1);
  HeadNames heads;
  heads.has_pooler = plan.head == Head::none;
  heads.pooled = plan.head == Head::sequence_classification
                     ? HeadStep{"classifier.dense", plan.width, Activation::tanh}
                     : HeadStep{"pooler.dense", plan.width, Activation::tanh};
  heads.classifier = "classifier.out_proj";
  heads.fill_mask = {{"lm_head.dense", plan.width, Activation::gelu, "lm_head.layer_norm"},
                     {.linear = "lm_head.decoder",
                      .outputs = plan.vocabulary,
                      .tied = plan.words,
                      .bias_name = "lm_head.bias"}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
