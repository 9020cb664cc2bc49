#pragma once

#include <functional>
#include <span>
#include <vector>

#include "model/generation/next_token.h"

namespace holdfast::model {

// A row of a batch as transformers takes it: padding at the left, if any, belongs to the tokens.
struct Prompt {
  std::vector<TokenId> tokens;
  size_t padding = 0;
};

struct Generated {
  std::vector<std::vector<TokenId>>
      sequences;              // Prompt first, all of one length, filled up with the pad token.
  std::vector<float> scores;  // Of beam search; else empty.
};

// Called for each new token of a row (greedy search and sampling only); false ends that row.
using OnToken = std::function<bool(size_t row, TokenId token)>;

// Greedy search, sampling or beam search over a batch of prompts of equal length, as transformers' generate
// does (5.23). bad_request for settings or prompts that cannot be, input_too_long for prompts that leave no
// room; the model's own errors.
Result<Generated> generate(NextToken& model, std::span<const Prompt> prompts,
                           const GenerationSettings& settings, std::span<const TokenId> encoder_tokens = {},
                           const OnToken& on_token = {});

}  // namespace holdfast::model
