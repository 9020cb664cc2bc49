#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// Also xlm-roberta, camembert and data2vec-text. Positions count past the padding id.
void plan_roberta(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.prefixes = {"roberta.", "camembert.", "data2vec_text."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  plan.position_kind = EncoderPlan::Positions::past_padding;
  plan.pad_id = static_cast<int64_t>(config.size_or_zero({"pad_token_id"}, 1, 4'000'000));
  add_position_table(config, plan, static_cast<size_t>(plan.pad_id) + 1);
  add_heads(config, plan, roberta_heads(plan));
}

}  // namespace holdfast::model
