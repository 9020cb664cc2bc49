#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT of questions or of passages; its answer is the first token's row, perhaps projected.
void plan_dpr(ConfigReader& config, EncoderPlan& plan) {
  plan_bert(config, plan);
  plan.prefixes = {"question_encoder.bert_model.", "ctx_encoder.bert_model.", "question_encoder.",
                   "ctx_encoder."};
  plan.head = Head::none;
  HeadPlan pooled{"pooler_output", HeadPlan::Rows::first, HeadPlan::Shape::columns, {}};
  if (const size_t width = config.size_or_zero({"projection_dim"}, 0, 16'384); width > 0)
    pooled.steps = {{"encode_proj", width}};
  plan.outputs = {pooled};
}

}  // namespace holdfast::model
