#pragma once

#include <memory>

#include "token/fast/piece_model.h"
#include "token/models/unigram.h"

namespace holdfast::token {

// The fast twin of Unigram, by a tree of pieces. Null where there is none.
std::unique_ptr<PieceModel> make_trie_unigram(const Unigram& model);

}  // namespace holdfast::token
