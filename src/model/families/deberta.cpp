#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// The first DeBERTa: queries, keys and values in one matrix by head, distances without buckets.
void plan_deberta(ConfigReader& config, EncoderPlan& plan) {
  plan_deberta_v2(config, plan);
  plan.convolution.reset();
  plan.query_key_value = "attention.self.in_proj";
  plan.interleaved = true;
  if (plan.disentangled) {
    plan.disentangled->buckets = 0;
    plan.disentangled->span = plan.disentangled->distance_max;
    plan.disentangled->shares_projections = plan.disentangled->normalized = false;
    plan.disentangled->key = "pos_proj";
    plan.disentangled->query = "pos_q_proj";
  }
  if (config.flag({"talking_head"}, false))
    config.refuse(fail(Reason::model_unsupported, "heads that talk to each other are not supported"));
}

}  // namespace holdfast::model
