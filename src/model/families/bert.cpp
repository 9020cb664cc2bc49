#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

void plan_bert(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.prefixes = {"bert."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  add_position_table(config, plan, 0);
  add_heads(config, plan, bert_heads(plan));
}

}  // namespace holdfast::model
