#include "model/config_reader.h"
#include "model/families/seq2seq_parts.h"
#include "model/families/seq2seqs.h"

namespace holdfast::model {

// Computed positions; both sides may have words of their own.
void plan_marian(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan, {.embedding_norm = false, .sinusoid = Sinusoid::marian, .position_offset = 0});
  plan.shift = Seq2SeqPlan::Shift::none;
  if (config.flag({"share_encoder_decoder_embeddings"}, true)) return;
  plan.renames.clear();
  plan.encoder.words = "encoder.embed_tokens";
  plan.decoder.words = "decoder.embed_tokens";
}

void plan_pegasus(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(
      config, plan,
      {.norms_before = true, .embedding_norm = false, .sinusoid = Sinusoid::marian, .position_offset = 0});
  plan.shift = Seq2SeqPlan::Shift::none;
}

}  // namespace holdfast::model
