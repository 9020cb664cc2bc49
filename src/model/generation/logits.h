#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "model/generation/settings.h"

// What happens to the scores [vocabulary] of one row's next token before one is chosen: each step as
// transformers' class of that name (generation/logits_process.py, 5.23) does it. A removed token has -inf.
// `row` holds the tokens so far, prompt first. Ids beyond the vocabulary are passed over.
namespace holdfast::model::logits {

using Scores = std::span<float>;
using Row = std::span<const TokenId>;

void temperature(Scores scores, double value);
void top_k(Scores scores, size_t count, size_t kept_min);
void top_p(Scores scores, double mass, size_t kept_min);
void min_p(Scores scores, double share, size_t kept_min);
void typical_p(Scores scores, double mass, size_t kept_min);
void top_h(Scores scores, double share);
void epsilon_cutoff(Scores scores, double least, size_t kept_min);
void eta_cutoff(Scores scores, double least, size_t kept_min);

void repetition_penalty(Scores scores, Row row, double penalty);
void additive_penalties(Scores scores, Row generated, double presence, double frequency);
// Removes what would complete an n-gram of `source` after the end of `row`; they may be the same.
void no_repeat_ngram(Scores scores, Row row, Row source, size_t length);
void sequence_bias(Scores scores, Row row, std::span<const std::pair<std::vector<TokenId>, double>> biases);
void remove(Scores scores, std::span<const TokenId> tokens);
void force(Scores scores, std::span<const TokenId> tokens);  // These 0, all others removed.
void remove_invalid(Scores scores);
void length_decay(Scores scores, std::span<const TokenId> end_tokens, double factor_power);
void log_softmax(Scores scores);

}  // namespace holdfast::model::logits
