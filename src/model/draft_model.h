#pragma once

#include "model/decoder_model.h"
#include "model/generation/drafter.h"

namespace holdfast::model {

// The greedy tokens of a smaller model with the same vocabulary. Borrows both.
std::unique_ptr<Drafter> make_draft_model(const DecoderModel& model, tensor::Threads& threads);

}  // namespace holdfast::model
