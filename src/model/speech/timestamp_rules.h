#pragma once

#include <vector>

#include "model/generation/next_token.h"

namespace holdfast::model {

// What Whisper's times may be: they come in pairs, do not run backwards, the first is near the beginning, and
// one is written where all of them together are likelier than any word (Radford et al. 2022, as transformers
// 5.23 has it). Words that are never written must be known, as they do not count there.
struct TimestampRules {
  TokenId no_timestamps = 0;  // Never written; the tokens of times follow it.
  TokenId end = 0;            // Words are below it.
  size_t first_max = 50;      // Of a text's first time, in steps; 0: no bound.
  std::vector<TokenId> suppressed, suppressed_at_begin;
};

// A model's rows held to the rules. Borrows the model.
class TimedRows final : public NextToken {
 public:
  TimedRows(NextToken& model, TimestampRules rules) : model_(model), rules_(std::move(rules)) {}

  size_t vocabulary() const override { return model_.vocabulary(); }
  size_t length_max() const override { return model_.length_max(); }
  Status begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) override;
  Status extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                std::span<float> scores) override;

 private:
  void hold(std::span<const TokenId> written, std::span<float> scores) const;
  void hold_all(std::span<float> scores) const;

  NextToken& model_;
  const TimestampRules rules_;
  std::vector<std::vector<TokenId>> written_;  // Of each row, without its prompt.
};

}  // namespace holdfast::model
