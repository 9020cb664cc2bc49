#pragma once

#include <cstddef>
#include <vector>

#include "model/generation/logits.h"

namespace holdfast::model {

// The settings' steps on the scores of one row, in transformers' order (generation/utils.py,
// _get_logits_processor, 5.23). Immutable; safe from any thread.
class LogitsChain {
 public:
  struct Call {
    size_t prompt_length = 0;                  // Padding included.
    size_t length_max = 0;                     // Prompt included.
    std::vector<TokenId> encoder_tokens = {};  // What an encoder-decoder model reads; empty: the prompt.
  };
  LogitsChain(GenerationSettings settings, Call call);

  // `row`: the tokens so far, of which the first `padding` are padding at the left.
  void apply(logits::Row row, size_t padding, logits::Scores scores) const;

 private:
  void apply_rules(logits::Row row, logits::Scores scores) const;
  void apply_cuts(logits::Scores scores) const;

  const GenerationSettings settings_;
  const Call call_;
  std::vector<std::pair<std::vector<TokenId>, double>> bad_words_;  // As biases.
  size_t kept_min_ = 1;
};

}  // namespace holdfast::model
