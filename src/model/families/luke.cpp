#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// RoBERTa as long as no entities are named beside the text.
void plan_luke(ConfigReader& config, EncoderPlan& plan) {
  plan_roberta(config, plan);
  plan.prefixes = {"luke."};
  if (plan.head != Head::sequence_classification) return;
  plan.outputs.clear();
  HeadNames heads;
  heads.pooled = {"pooler.dense", plan.width, Activation::tanh};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
