#pragma once

#include <vector>

#include "model/decoder_model.h"
#include "model/step_batch.h"

namespace holdfast::cli {

// How likely each token of a prompt was after those before it, by the model's own scores; a part at a time,
// so that others' answers go on between. Borrows the model and the adapter, which may be none. One thread.
class PromptScores {
 public:
  struct Token {
    model::TokenId id = 0;
    std::optional<model::LogProbability> chosen;  // None of the first.
    std::vector<model::LogProbability> others;    // The likeliest.
  };

  PromptScores(const model::DecoderModel& model, const model::Adapter* adapter,
               std::vector<model::TokenId> prompt, size_t alternatives);

  bool done() const { return tokens_.size() == prompt_.size(); }
  Status step(tensor::Threads& threads);
  const std::vector<Token>& tokens() const { return tokens_; }

 private:
  const model::DecoderModel& model_;
  const model::Adapter* const adapter_;
  const std::vector<model::TokenId> prompt_;
  const size_t alternatives_;
  size_t part_ = 0;  // Tokens of a step.
  model::KvCache cache_;
  std::vector<Token> tokens_;
};

}  // namespace holdfast::cli
