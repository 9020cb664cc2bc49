#pragma once

#include <memory>

#include "token/fast/piece_model.h"
#include "token/fast/word_encoder.h"

namespace holdfast::token {

// Of texts that are one piece, cut before each run of signs for a space: no token goes on across one.
std::unique_ptr<FastEncoder> make_sentence_encoder(WordShape shape, const FastParts& parts,
                                                   std::unique_ptr<PieceModel> model, SpaceSign spaces);

}  // namespace holdfast::token
