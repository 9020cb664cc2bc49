#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT with rotary positions of neighbouring pairs, perhaps of values too, and narrow tables.
void plan_roformer(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.positions = config.size({"max_position_embeddings"}, 1'536, 1 << 24);
  plan.embedding_width = config.size({"embedding_size"}, plan.width, 16'384);
  plan.position_kind = EncoderPlan::Positions::none;
  plan.prefixes = {"roformer."};
  name_as_bert(plan);
  if (plan.embedding_width != plan.width) plan.embedding_projection = "embeddings_project";
  add_layers(plan, "encoder.layer.", layers);
  plan.ropes = {read_rope(config, plan.head_width, {10'000})};
  plan.ropes.front().pairs = tensor::RopePairs::neighbours;
  plan.rotates_values = config.flag({"rotary_value"}, false);
  for (EncoderPlan::LayerKind& layer : plan.layers) layer.rope = 0;
  const std::string cls = "cls.predictions.";
  HeadNames heads;
  heads.pooled = {"classifier.dense", plan.width, plan.activation};
  heads.classifier = "classifier.out_proj";
  if (plan.head == Head::multiple_choice)
    read_summary(config, plan, heads, {.type = "last", .activation = "", .projects = false});
  heads.fill_mask = {
      {cls + "transform.dense", plan.embedding_width, plan.activation, cls + "transform.LayerNorm"},
      {.linear = cls + "decoder", .outputs = plan.vocabulary, .tied = plan.words, .bias_name = cls + "bias"}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
