#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/training/unigram_lattice.h"
#include "token/training/word_counts.h"

namespace holdfast::token {

struct UnigramTraining {
  size_t vocabulary_size = 8'000;  // Special tokens included.
  uint32_t sub_iterations = 2;
  double shrinking_factor = 0.75;
  std::vector<std::string> special_tokens;
  std::set<char32_t> initial_alphabet;
  std::optional<std::string> unknown_token;
  size_t piece_length_max = 16;  // In characters.
  size_t seed_pieces_max = 1'000'000;
};

struct TrainedUnigram {
  std::vector<TrainedPiece> pieces;  // By id.
  std::optional<uint32_t> unknown_id;
};

// Expectation maximization over the common substrings of the corpus, then taking off those that are missed
// least, until the size is reached: the steps of the reference library's UnigramTrainer
// (models/unigram/trainer.rs). Its sums go in the order of a hash table, ours in that of the corpus: scores
// agree to rounding, and pieces of equal score may stand in another order. bad_request where the characters
// alone are more than the vocabulary may have.
Result<TrainedUnigram> train_unigram(std::span<const WordCount> words, const UnigramTraining& options);

}  // namespace holdfast::token
