#include "model/families/seq2seq_parts.h"
#include "model/families/seq2seqs.h"

namespace holdfast::model {

void plan_bart(ConfigReader& config, Seq2SeqPlan& plan) { plan_as_bart(config, plan, {}); }

// BART's weights with scaled words.
void plan_plbart(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan, {.scales_embedding = true});
  plan.shift = Seq2SeqPlan::Shift::behind_last;
}

// Norms before the branches; a decoder's row begins with the language that the encoder's ends with.
void plan_mbart(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan, {.norms_before = true});
  plan.shift = Seq2SeqPlan::Shift::behind_last;
}

void plan_blenderbot(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan, {.norms_before = true, .embedding_norm = false, .position_offset = 0});
  plan.shift = Seq2SeqPlan::Shift::none;
}

// BART's decoder with its norm over the words alone.
void plan_blenderbot_small(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan, {.position_offset = 0});
  plan.shift = Seq2SeqPlan::Shift::none;
  plan.decoder.norms_words = true;
  plan.decoder.embedding_scale = 1;  // scale_embedding is of the encoder alone.
}

void plan_mvp(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan, {});
  if (config.flag({"use_prompt"}, false))
    config.refuse(fail(Reason::model_unsupported, "MVP's prompts (use_prompt) are not supported"));
}

}  // namespace holdfast::model
