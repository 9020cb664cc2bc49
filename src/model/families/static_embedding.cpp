#include "model/families/encoders.h"

namespace holdfast::model {

// A table of words without any layer: sentence-transformers' StaticEmbedding, whose texts are the mean of
// their tokens without special ones. Its configuration is made from the table (model/first_module.h).
void plan_static_embedding(ConfigReader& config, EncoderPlan& plan) {
  plan.width = plan.embedding_width = plan.head_width = config.size({"hidden_size"}, 0, 1 << 20);
  plan.heads = 1;
  plan.inner = 1;
  plan.vocabulary = config.size({"vocab_size"}, 0, 16'000'000);
  plan.positions = 1 << 20;  // As many as one likes; a bound all the same.
  plan.position_kind = EncoderPlan::Positions::none;
  plan.bare_texts = true;
  plan.words = "embedding";
  if (config.text({"tensor"}, "") == "embeddings") plan.renames = {{"embedding.weight", "embeddings"}};
}

}  // namespace holdfast::model
