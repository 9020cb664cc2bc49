#include "model/config_reader.h"
#include "model/families/seq2seq_parts.h"
#include "model/families/seq2seqs.h"

namespace holdfast::model {

// M2M-100 and NLLB: computed positions that count past padding.
void plan_m2m_100(ConfigReader& config, Seq2SeqPlan& plan) {
  plan_as_bart(config, plan,
               {.norms_before = true,
                .embedding_norm = false,
                .scales_embedding = true,
                .sinusoid = Sinusoid::fairseq});
  plan.shift = Seq2SeqPlan::Shift::none;
  plan.logits_bias.clear();
  plan.encoder.position_kind = EncoderPlan::Positions::past_padding;
  plan.encoder.position_offset = 0;
  plan.encoder.pad_id = plan.pad_id.value_or(1);
  plan.decoder.pad_id = plan.encoder.pad_id;
  if (plan.encoder.pad_id != 1)
    config.refuse(
        fail(Reason::model_unsupported, "config.json: a pad_token_id other than 1 is not supported"));
}

}  // namespace holdfast::model
