#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

#include <algorithm>
#include <cmath>

namespace holdfast::model {

// BERT whose attention is sparse for long texts only, as transformers has it; those are refused.
void plan_big_bird(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation_fallback = "gelu_new";
  const size_t layers = read_sizes(config, plan, keys);
  plan.prefixes = {"bert."};
  name_as_bert(plan);
  plan.attention_bias = Bias::if_there;  // use_bias is of queries, keys and values.
  if (config.flag({"rescale_embeddings"}, false))
    plan.embedding_scale = std::sqrt(static_cast<float>(plan.width));
  add_layers(plan, "encoder.layer.", layers);
  add_position_table(config, plan, 0);
  if (config.text({"attention_type"}, "block_sparse") != "original_full") {
    const size_t blocks = 5 + 2 * config.size_or_zero({"num_random_blocks"}, 3, 1'024);
    plan.positions = std::min(plan.positions, blocks * config.size({"block_size"}, 64, 4'096));
    plan.length_max = plan.positions;
  }
  if (plan.head == Head::question_answering)
    config.refuse(fail(Reason::model_unsupported, "BigBird's head for answers is not supported"));
  const std::string cls = "cls.predictions.";
  HeadNames heads;
  heads.pooled = {"pooler", plan.width, Activation::tanh};
  if (plan.head == Head::sequence_classification) {
    heads.pooled = {"classifier.dense", plan.width, plan.activation};
    heads.classifier = "classifier.out_proj";
  }
  heads.has_pooler = true;
  heads.fill_mask = {
      {cls + "transform.dense", plan.width, plan.activation, cls + "transform.LayerNorm"},
      {.linear = cls + "decoder", .outputs = plan.vocabulary, .tied = plan.words, .bias_name = cls + "bias"}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
