#include "token/fast/piece_model.h"

#include "token/fast/character_bpe.h"
#include "token/fast/trie_unigram.h"
#include "token/fast/trie_word_piece.h"

namespace holdfast::token {

std::unique_ptr<PieceModel> make_piece_model(const Model& model, SpaceSign spaces) {
  if (const auto* bpe = dynamic_cast<const Bpe*>(&model)) return make_character_bpe(*bpe, spaces);
  if (spaces == SpaceSign::space) return nullptr;
  if (const auto* unigram = dynamic_cast<const Unigram*>(&model)) return make_trie_unigram(*unigram);
  if (const auto* pieces = dynamic_cast<const WordPiece*>(&model)) return make_trie_word_piece(*pieces);
  return nullptr;
}

}  // namespace holdfast::token
