#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// Its own config keys, no token types, no pooler.
void plan_distilbert(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.width = {"dim", "hidden_size"};
  keys.layers = {"n_layers", "num_hidden_layers"};
  keys.heads = {"n_heads", "num_attention_heads"};
  keys.inner = {"hidden_dim", "intermediate_size"};
  keys.activation = {"activation", "hidden_act"};
  const size_t layers = read_sizes(config, plan, keys);
  plan.epsilon = 1e-12F;
  plan.types = 0;
  plan.prefixes = {"distilbert."};
  name_as_bert(plan);
  plan.query = "attention.q_lin";
  plan.key = "attention.k_lin";
  plan.value = "attention.v_lin";
  plan.attention_out = "attention.out_lin";
  plan.attention_norm = "sa_layer_norm";
  plan.up = "ffn.lin1";
  plan.out = "ffn.lin2";
  plan.out_norm = "output_layer_norm";
  add_layers(plan, "transformer.layer.", layers);
  add_position_table(config, plan, 0);
  HeadNames heads;
  heads.pooled = {"pre_classifier", plan.width, Activation::relu};
  heads.fill_mask = {{"vocab_transform", plan.width, plan.activation, "vocab_layer_norm"},
                     {.linear = "vocab_projector", .outputs = plan.vocabulary, .tied = plan.words}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
