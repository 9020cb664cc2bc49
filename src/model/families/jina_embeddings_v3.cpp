#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// XLM-RoBERTa with rotary positions; checkpoints without the adapters of the first release.
void plan_jina_embeddings_v3(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.positions = config.size({"max_position_embeddings"}, 8'194, 1 << 24);
  plan.position_kind = EncoderPlan::Positions::none;
  plan.types = config.size({"type_vocab_size"}, 1, 1'024);
  plan.epsilon = config.number({"layer_norm_eps"}, 1e-5);
  plan.prefixes = {"roberta."};
  name_as_bert(plan);
  plan.embedding_norm = "emb_ln";
  plan.query = plan.key = plan.value = plan.query_key_value = "mixer.Wqkv";
  plan.attention_out = "mixer.out_proj";
  plan.attention_norm = "norm1";
  plan.up = "mlp.fc1";
  plan.out = "mlp.fc2";
  plan.out_norm = "norm2";
  add_layers(plan, "encoder.layers.", layers);
  plan.ropes = {read_rope(config, plan.head_width, {20'000})};
  for (EncoderPlan::LayerKind& layer : plan.layers) layer.rope = 0;
  add_heads(config, plan, roberta_heads(plan));
}

}  // namespace holdfast::model
