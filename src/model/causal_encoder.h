#pragma once

#include <memory>
#include <vector>

#include "model/decoder_model.h"
#include "model/encoder_head.h"
#include "model/encoder_plan.h"

namespace holdfast::model {

// What a decoder's head says of hidden states [tokens, head_inputs()]; without one, or with a language head,
// the states themselves. A sequence's classification is read from its last token that is no padding, as
// transformers has it (a text whose last token is the padding's own counts the one before).
std::vector<NamedOutput> judge_states(const DecoderModel& model, const TokenBatch& batch,
                                      tensor::Floats states, tensor::Threads& threads);

// A decoder checkpoint that judges or embeds texts instead of going on with them: each token sees itself and
// what came before. Every text is read from its beginning and nothing is kept. Owns its weights. Safe from
// any thread.
class CausalEncoder {
 public:
  // `store`: as DecoderModel has it.
  static Result<CausalEncoder> open(io::Disk& disk, const io::Path& folder, tensor::Compute compute,
                                    const LayerStore* store = nullptr);

  // What those who ask an encoder want to know: sizes, labels and the head; a language head counts as none.
  const EncoderPlan& plan() const { return plan_; }
  // [tokens, E], after the last norm.
  Result<tensor::Floats> hidden(const TokenBatch& batch, tensor::Threads& threads) const;
  // Sequences are not empty.
  Result<std::vector<NamedOutput>> forward(const TokenBatch& batch, tensor::Threads& threads) const;

 private:
  CausalEncoder(DecoderModel model, EncoderPlan plan) : model_(std::move(model)), plan_(std::move(plan)) {}

  DecoderModel model_;
  EncoderPlan plan_;
};

}  // namespace holdfast::model
