#pragma once

#include <span>

#include "model/generation/generate.h"
#include "model/generation/logits_chain.h"

namespace holdfast::model {

// One checked call of generate(); borrows.
struct Call {
  const GenerationSettings& settings;
  const LogitsChain& chain;
  size_t prompt_length = 0, length_max = 0;  // Prompt included in the latter.
  TokenId pad = 0;
};

// Prompts without their padding, as the model takes them.
std::vector<std::vector<TokenId>> bare_prompts(std::span<const Prompt> prompts);

// transformers' beam search (generation/utils.py, _beam_search, 5.23), which keeps
// max(2, 1 + end tokens) * beams continuations a step so that `beams` of them can go on.
Result<Generated> beam_search(NextToken& model, std::span<const Prompt> prompts, const Call& call);

}  // namespace holdfast::model
