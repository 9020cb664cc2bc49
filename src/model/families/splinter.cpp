#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT that answers where its text resembles the token that stands for the question.
void plan_splinter(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.prefixes = {"splinter."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  add_position_table(config, plan, 0);
  if (plan.head == Head::none) return;
  if (plan.head != Head::question_answering)
    return config.refuse(
        fail(Reason::model_unsupported, "of Splinter the bare model and its answers to questions are here"));
  HeadPlan answers;
  answers.question_id = static_cast<int64_t>(config.size_or_zero({"question_token_id"}, 104, 4'000'000));
  plan.outputs.push_back(std::move(answers));
}

}  // namespace holdfast::model
