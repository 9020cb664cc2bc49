#pragma once

#include <string>
#include <vector>

#include "model/decoder_model.h"
#include "model/encoder_model.h"
#include "model/padded_batch.h"
#include "tensor/weights.h"

namespace holdfast::model {

// A call as transformers takes it: `input_ids` [B, T] ([B, choices, T] for multiple choice), and if given
// `attention_mask`, `token_type_ids`, `position_ids` of the same shape. Padding is left out of the
// computation; what is answered for it is 0. The result has the padded shapes. bad_request where shapes or
// numbers do not fit, and for a row whose first token is masked where the head reads that token.
Result<std::vector<NamedTensor>> forward(const EncoderModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads);

// The same for a decoder: logits, hidden_states_last (what the head reads) and embeddings of a language
// model, last_hidden_state of a bare one. A row's classification is read from its last id that is not
// padding. `adapter`: of all rows; null: none.
Result<std::vector<NamedTensor>> forward(const DecoderModel& model, const tensor::Weights& inputs,
                                         tensor::Threads& threads, const Adapter* adapter = nullptr);

}  // namespace holdfast::model
