#pragma once

#include <boost/json/fwd.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/added_tokens.h"
#include "token/training/word_counts.h"

namespace holdfast::token {

enum class TrainedKind : uint8_t { bpe, word_piece, unigram, word_level };

// What all trainers take together; a kind reads its own. Nothing set means the reference library's default.
struct TrainOptions {
  TrainedKind kind = TrainedKind::bpe;
  std::optional<size_t> vocabulary_size;  // 30,000; Unigram 8,000.
  uint64_t min_frequency = 0;
  std::vector<AddedToken> special_tokens;  // First in the vocabulary; added to the document as special.
  std::optional<size_t> limit_alphabet;
  std::set<char32_t> initial_alphabet;
  std::optional<std::string> continuing_subword_prefix;  // WordPiece: "##".
  std::optional<std::string> end_of_word_suffix;
  std::optional<size_t> max_token_length;    // BPE; 16 as Unigram's longest piece.
  std::optional<std::string> unknown_token;  // Unigram.
  double shrinking_factor = 0.75;
  uint32_t sub_iterations = 2;
};

// The document with a newly trained vocabulary in its model, which keeps its other settings, and the special
// tokens added. A model of another kind, or none, is replaced by an empty one of this kind.
Result<boost::json::object> train_document(boost::json::object document, const std::vector<WordCount>& words,
                                           const TrainOptions& options);

}  // namespace holdfast::token
