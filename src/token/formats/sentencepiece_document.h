#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/formats/document_builder.h"
#include "token/formats/sentencepiece_model.h"
#include "token/formats/tokenizer_config.h"

namespace holdfast::token {

// The tokenizer.json that a SentencePiece model means. By tokenizer_class, else model_type, as transformers'
// converters build it (Llama legacy and not, T5, XLM-R, …: sentencepiece_classes.h); where neither names a
// family, so that it encodes as the sentencepiece library does.
Result<boost::json::object> document_of_sentencepiece(const SentencePieceModel& model,
                                                      const TokenizerConfig& config);

// A row of a Unigram vocabulary.
struct ScoredPiece {
  std::string text;
  double score = 0;
};

// The `model` objects.
boost::json::object unigram_model(const std::vector<ScoredPiece>& pieces, int64_t unknown_id,
                                  bool byte_fallback);
// Merges are those that the vocabulary implies; of equal pieces the last counts.
boost::json::object scored_bpe_model(const std::vector<ScoredPiece>& pieces, std::string_view unknown,
                                     bool byte_fallback);

// "▁" for " ", bytes, joined, and perhaps the first space taken off: the decoder of Llama and its kin.
enum class FirstSpace : uint8_t { keep, strip };
boost::json::object llama_decoder(FirstSpace first_space);

}  // namespace holdfast::token
