#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

void plan_bert(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.prefixes = {"bert."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  add_position_table(config, plan, 0);
  HeadNames heads;
  heads.pooled = {"pooler.dense", plan.width, Activation::tanh};
  heads.has_pooler = true;
  heads.fill_mask = {
      {"cls.predictions.transform.dense", plan.width, plan.activation, "cls.predictions.transform.LayerNorm"},
      {.linear = "cls.predictions.decoder",
       .outputs = plan.vocabulary,
       .tied = plan.words,
       .bias_name = "cls.predictions.bias"}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
