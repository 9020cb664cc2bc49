#pragma once

#include <memory>

#include "token/fast/piece_model.h"
#include "token/models/word_piece.h"

namespace holdfast::token {

// The fast twin of WordPiece, by a tree of tokens. Null where there is none.
std::unique_ptr<PieceModel> make_trie_word_piece(const WordPiece& model);

}  // namespace holdfast::token
