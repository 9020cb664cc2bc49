#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT, whose kinds of tasks have a table where config.json asks for it; the kind is always the first.
void plan_ernie(ConfigReader& config, EncoderPlan& plan) {
  plan_bert(config, plan);
  plan.prefixes = {"ernie."};
  if (!config.flag({"use_task_id"}, false)) return;
  plan.kind_table = "embeddings.task_type_embeddings";
  plan.kinds = config.size({"task_type_vocab_size"}, 3, 1'024);
}

}  // namespace holdfast::model
