#pragma once

#include <memory>

#include "token/fast/fast_encoder.h"

namespace holdfast::token {

enum class WordShape : uint8_t {
  bert,               // BertNormalizer, BertPreTokenizer.
  metaspace,          // Precompiled, then words between white space, each with the sign for a space in front.
  sentence,           // Spaces become their sign; the whole text is one piece.
  prefixed_sentence,  // The same with one more sign in front of the text.
};

// An encoder that cuts the text as it is into words whose tokens do not depend on what is around them, and
// knows the tokens of words it has seen. Null where the model has no fast twin or joins words.
std::unique_ptr<FastEncoder> make_word_encoder(WordShape shape, const FastParts& parts);

}  // namespace holdfast::token
