#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// RoBERTa with its norms before each branch and one after the last layer.
void plan_roberta_prelayernorm(ConfigReader& config, EncoderPlan& plan) {
  plan_roberta(config, plan);
  plan.prefixes = {"roberta_prelayernorm."};
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.attention_norm = "attention.LayerNorm";
  plan.out_norm = "intermediate.LayerNorm";
  plan.final_norm = "LayerNorm";
}

}  // namespace holdfast::model
