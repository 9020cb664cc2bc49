#pragma once

#include <memory>

#include "token/fast/piece_model.h"
#include "token/fast/word_encoder.h"

namespace holdfast::token {

// Of words between white space, and for BERT around punctuation and ideographs.
std::unique_ptr<FastEncoder> make_spaced_encoder(WordShape shape, const FastParts& parts,
                                                 std::unique_ptr<PieceModel> model);

}  // namespace holdfast::token
