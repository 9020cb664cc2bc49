#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::token {

// How transformers' converter of a tokenizer class treats a SentencePiece model (convert_slow_tokenizer.py).
struct SentencePieceClass {
  // What becomes of the file's pieces.
  enum class Pieces : uint8_t {
    as_they_are,
    fairseq,    // <s> <pad> </s> <unk>, the file's from the fourth on, `tail`.
    camembert,  // Five of its own, the file's from the second on, `tail`.
    pegasus,
    t5,     // As they are, then <extra_id_99> … <extra_id_0>.
    llama,  // The first three score 0.
    gemma,  // The same, and a tab for <0x09> where there is none.
  };
  enum class Text : uint8_t { standard, albert, rembert, deberta_v2, llama, gemma, sentencepiece };

  std::string_view name;              // Of the class, without "Tokenizer".
  std::string_view model_types = {};  // Of config.json, each between spaces.
  Pieces pieces = Pieces::as_they_are;
  std::string_view tail = {};       // Pieces after the file's, separated by spaces.
  int64_t unknown_id = -1;          // -1: as the file says.
  bool lower_number_comma = false;  // Pieces like "2," are made unlikely.
  Text text = Text::standard;
  std::string_view specials = {};
  std::string_view single = {}, pair = {};  // Empty: no post-processor.
};

// By class name ("LlamaTokenizer") or, where that is empty, model type. Null where there is none.
const SentencePieceClass* find_sentencepiece_class(std::string_view class_name, std::string_view model_type);

}  // namespace holdfast::token
