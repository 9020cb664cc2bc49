#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT with rotary positions and a gated feed-forward, nearly without biases. Two spellings: that of
// transformers 5 and that of the published folders (GPT-2's config keys, encoder.layers, Wqkv, fc11).
void plan_nomic_bert(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.width = {"hidden_size", "n_embd"};
  keys.layers = {"num_hidden_layers", "n_layer"};
  keys.heads = {"num_attention_heads", "n_head"};
  keys.inner = {"intermediate_size", "n_inner"};
  keys.activation = {"hidden_act"};
  keys.activation_fallback = "silu";
  const size_t layers = read_sizes(config, plan, keys);
  plan.head_width = config.size({"head_dim"}, plan.head_width, 16'384);
  plan.positions = config.size({"max_position_embeddings", "n_positions"}, 2'048, 1 << 24);
  plan.position_kind = EncoderPlan::Positions::none;
  plan.gated = true;
  plan.attention_bias = plan.inner_bias = Bias::if_there;
  plan.prefixes = {"nomic_bert.", "bert."};
  plan.renames = {{"layers.", "encoder.layers."},        {"embeddings.LayerNorm", "emb_ln"},
                  {"self_attn.o_proj", "attn.out_proj"}, {"self_attn.qkv", "attn.Wqkv"},
                  {"mlp.gate_proj", "mlp.fc12"},         {"mlp.up_proj", "mlp.fc11"},
                  {"mlp.down_proj", "mlp.fc2"},          {"post_attention_layernorm", "norm1"},
                  {"post_mlp_layernorm", "norm2"},       {"transform.layer_norm", "transform.LayerNorm"}};
  name_as_bert(plan);
  plan.query = "self_attn.q_proj";
  plan.key = "self_attn.k_proj";
  plan.value = "self_attn.v_proj";
  plan.query_key_value = "self_attn.qkv";
  plan.attention_out = "self_attn.o_proj";
  plan.attention_norm = "post_attention_layernorm";
  plan.gate = "mlp.gate_proj";
  plan.up = "mlp.up_proj";
  plan.out = "mlp.down_proj";
  plan.out_norm = "post_mlp_layernorm";
  add_layers(plan, "layers.", layers);
  plan.ropes = {read_rope(config, plan.head_width, {1'000})};
  for (EncoderPlan::LayerKind& layer : plan.layers) layer.rope = 0;
  HeadNames heads;
  heads.pooled = {"pooler.dense", plan.width, Activation::tanh};
  heads.has_pooler = true;
  heads.fill_mask = {{"cls.predictions.transform.dense", plan.width, plan.activation,
                      "cls.predictions.transform.layer_norm"},
                     {.linear = "cls.predictions.decoder",
                      .outputs = plan.vocabulary,
                      .tied = plan.words,
                      .bias_name = "cls.predictions.bias"}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
