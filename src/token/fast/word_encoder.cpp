#include "token/fast/word_encoder.h"

#include "token/fast/raw_words.h"
#include "token/fast/sentence_encoder.h"
#include "token/fast/spaced_encoder.h"

namespace holdfast::token {

std::unique_ptr<FastEncoder> make_word_encoder(WordShape shape, const FastParts& parts) {
  if (shape == WordShape::bert || shape == WordShape::metaspace) {
    auto model = make_piece_model(parts.model, SpaceSign::sign);
    return model ? make_spaced_encoder(shape, parts, std::move(model)) : nullptr;
  }
  SpaceSign spaces = SpaceSign::space;
  auto model = make_piece_model(parts.model, spaces);
  if (!model) {
    spaces = SpaceSign::sign;
    model = make_piece_model(parts.model, spaces);
  }
  if (!model || !model->only_begins_with(space_sign)) return nullptr;
  return make_sentence_encoder(shape, parts, std::move(model), spaces);
}

}  // namespace holdfast::token
