#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "token/training/word_counts.h"

namespace holdfast::token {

struct BpeTraining {
  size_t vocabulary_size = 30'000;  // Special tokens and alphabet included.
  uint64_t min_frequency = 0;
  std::vector<std::string> special_tokens;
  std::optional<size_t> limit_alphabet;  // Characters kept, the commonest.
  std::set<char32_t> initial_alphabet;   // Always kept, as far as the limit allows.
  std::optional<std::string> continuing_subword_prefix, end_of_word_suffix;
  std::optional<size_t> max_token_length;  // In characters.
};

// Tokens by id, and the pairs of ids that are merged, in order.
struct TrainedBpe {
  std::vector<std::string> tokens;
  std::vector<std::pair<uint32_t, uint32_t>> merges;
};

// Joins the commonest pair again and again; of equally common ones that of the smaller ids. The steps, and
// with them vocabulary and merges, are those of the reference library's BpeTrainer (models/bpe/trainer.rs),
// which leaves two orders to chance where we do not: of characters with a prefix or suffix (here: as they
// first come in the corpus) and of equally common characters at the limit of the alphabet (here: larger code
// points go).
TrainedBpe train_bpe(std::span<const WordCount> words, const BpeTraining& options);

}  // namespace holdfast::token
