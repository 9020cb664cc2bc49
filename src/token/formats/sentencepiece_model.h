#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::token {

// What a SentencePiece `.model` file says, as far as encoding needs it. Field numbers and defaults are those
// of sentencepiece_model.proto; docs/formats/sentencepiece.md.
struct SentencePieceModel {
  enum class Kind : uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };
  enum class PieceKind : uint8_t {
    normal = 1,
    unknown = 2,
    control = 3,
    user_defined = 4,
    unused = 5,
    byte = 6
  };
  struct Piece {
    std::string text;
    float score = 0;
    PieceKind kind = PieceKind::normal;
  };

  static constexpr size_t pieces_max = 4 << 20;

  std::vector<Piece> pieces;  // Never empty; texts are UTF-8.
  Kind kind = Kind::unigram;
  int32_t unknown_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;  // -1: there is none.
  std::string unknown_piece = "<unk>", bos_piece = "<s>", eos_piece = "</s>", pad_piece = "<pad>";
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  std::string charsmap;  // Precompiled normalization; empty: none.
  bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
};

// bad_request with what is wrong.
Result<SentencePieceModel> parse_sentencepiece_model(ByteView file);

}  // namespace holdfast::token
