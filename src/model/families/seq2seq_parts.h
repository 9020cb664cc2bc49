#pragma once

#include "model/seq2seq_plan.h"

// What families of encoder-decoder models have in common.
namespace holdfast::model {

// The head that `architectures` names; refuses what is neither of these.
Seq2SeqPlan::Head read_seq2seq_head(ConfigReader& config);
// Ids that a decoder's row begins with, is padded with and ends with, where config.json has them.
void read_seq2seq_ids(ConfigReader& config, Seq2SeqPlan& plan);

// So that tasks find the head where they look for it, in the encoder's plan.
void note_head(Seq2SeqPlan& plan);

// Layers of a decoder as BART names them under PREFIXlayers.; reads nothing and checks heads and width.
void name_decoder_as_bart(ConfigReader& config, DecoderPlan& plan, const std::string& prefix);

// How a relative of BART departs from it.
struct BartKind {
  bool norms_before = false;  // Then with a norm after the last layer.
  bool embedding_norm = true;
  bool scales_embedding = false;  // Where config.json does not say.
  Sinusoid sinusoid = Sinusoid::none;
  size_t position_offset = 2;  // Rows of a stored table before position 0.
};
void plan_as_bart(ConfigReader& config, Seq2SeqPlan& plan, const BartKind& kind);

}  // namespace holdfast::model
