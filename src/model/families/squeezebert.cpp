#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT whose linear layers are convolutions of one tap, most of them in groups.
void plan_squeezebert(ConfigReader& config, EncoderPlan& plan) {
  plan_bert(config, plan);
  if (plan.epsilon != 1e-12F)  // Its class gives it to the embeddings' norm alone.
    config.refuse(fail(Reason::model_unsupported, "config.json: layer_norm_eps other than 1e-12"));
  plan.prefixes = {"transformer."};
  plan.query = "attention.query";
  plan.key = "attention.key";
  plan.value = "attention.value";
  plan.attention_out = "post_attention.conv1d";
  plan.attention_norm = "post_attention.layernorm";
  plan.up = "intermediate.conv1d";
  plan.out = "output.conv1d";
  plan.out_norm = "output.layernorm";
  const size_t layers = plan.layers.size();
  plan.layers.clear();
  add_layers(plan, "encoder.layers.", layers);
}

}  // namespace holdfast::model
