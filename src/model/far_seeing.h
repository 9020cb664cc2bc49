#pragma once

#include "model/encoder_plan.h"
#include "model/token_batch.h"

namespace holdfast::model {

// How many tokens of a sequence see far: its first ones.
size_t far_seeing_tokens(const EncoderPlan& plan, const TokenBatch& batch, size_t sequence);
// bad_request where the plan looks for a question that cannot be told from its text.
Status check_far_seeing(const EncoderPlan& plan, const TokenBatch& batch);

}  // namespace holdfast::model
