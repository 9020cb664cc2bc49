#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// RoBERTa with its norms before each branch and one after the last layer; none over the embeddings.
void plan_xlm_roberta_xl(ConfigReader& config, EncoderPlan& plan) {
  plan_roberta(config, plan);
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.embedding_norm.clear();
  plan.attention_norm = "attention.self_attn_layer_norm";
  plan.out_norm = "LayerNorm";
  plan.final_norm = "encoder.LayerNorm";
}

}  // namespace holdfast::model
