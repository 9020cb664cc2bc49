#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// Tables of a width of their own; no pooler; pre-training judges each token.
void plan_electra(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.embedding_width = config.size({"embedding_size"}, 128, 16'384);
  plan.prefixes = {"electra."};
  name_as_bert(plan);
  if (plan.embedding_width != plan.width) plan.embedding_projection = "embeddings_project";
  add_layers(plan, "encoder.layer.", layers);
  add_position_table(config, plan, 0);
  if (plan.head == Head::pre_training) {
    add_discriminator(plan);
    return;
  }
  HeadNames heads;
  heads.pooled = {"classifier.dense", plan.width, Activation::gelu};
  heads.classifier = "classifier.out_proj";
  if (plan.head == Head::multiple_choice) {
    read_summary(config, plan, heads);
  }
  heads.fill_mask = {{"generator_predictions.dense", plan.embedding_width, Activation::gelu,
                      "generator_predictions.LayerNorm"},
                     {.linear = "generator_lm_head", .outputs = plan.vocabulary, .tied = plan.words}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
