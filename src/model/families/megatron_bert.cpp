#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT with its norms before each branch and one after the last layer; none over the embeddings.
void plan_megatron_bert(ConfigReader& config, EncoderPlan& plan) {
  plan_bert(config, plan);
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.embedding_norm.clear();
  plan.attention_norm = "attention.ln";
  plan.out_norm = "ln";
  plan.final_norm = "encoder.ln";
}

}  // namespace holdfast::model
