#pragma once

#include <memory>

#include "token/fast/piece_model.h"
#include "token/models/bpe.h"

namespace holdfast::token {

// The fast twin of BPE over characters, as SentencePiece models have it. Null where there is none.
std::unique_ptr<PieceModel> make_character_bpe(const Bpe& model, SpaceSign spaces);

}  // namespace holdfast::token
