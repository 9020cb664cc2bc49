#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "model/generation/settings.h"

namespace holdfast::model {

// What generation asks of a model: the scores of each row's next token. Rows keep state (a cache) between
// calls; the implementation owns it. One thread at a time.
class NextToken {
 public:
  virtual ~NextToken() = default;
  virtual size_t vocabulary() const = 0;
  virtual size_t length_max() const = 0;  // Of a row, prompt included.
  // Starts over with one row a prompt (no padding in them, none empty). `scores` is [rows, vocabulary].
  virtual Status begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) = 0;
  // New row r goes on from old row parents[r], which many may share and some may leave, with tokens[r].
  virtual Status extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                        std::span<float> scores) = 0;
};

// Of equal scores the first wins. Scores that are not numbers never do; with nothing else it is 0.
TokenId best_token(std::span<const float> scores);

// Draws from softmax(scores). The same seed and step give the same token, whatever else runs.
TokenId sample_token(std::span<const float> scores, uint64_t seed, uint64_t step);

}  // namespace holdfast::model
