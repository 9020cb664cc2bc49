#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT with a narrow table of words and a wide layer before the vocabulary, which is not that table.
void plan_rembert(ConfigReader& config, EncoderPlan& plan) {
  plan_bert(config, plan);
  plan.prefixes = {"rembert."};
  plan.embedding_width = config.size({"input_embedding_size"}, 256, 16'384);
  plan.embedding_projection = "encoder.embedding_hidden_mapping_in";
  if (plan.head != Head::fill_mask) return;
  const size_t wide = config.size({"output_embedding_size"}, 1'664, 16'384);
  plan.outputs.front().steps = {{"cls.predictions.dense", wide, plan.activation, "cls.predictions.LayerNorm"},
                                {.linear = "cls.predictions.decoder", .outputs = plan.vocabulary}};
}

}  // namespace holdfast::model
