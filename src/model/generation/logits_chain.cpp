#include "model/generation/logits_chain.h"

#include "model/speech/timestamp_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace holdfast::model {

LogitsChain::LogitsChain(GenerationSettings settings, Call call)
    : settings_(std::move(settings)), call_(std::move(call)) {
  const auto& ends = settings_.end_tokens;
  for (const auto& word : settings_.bad_words) {
    const bool is_end = word.size() == 1 && std::find(ends.begin(), ends.end(), word[0]) != ends.end();
    if (!is_end) bad_words_.emplace_back(word, -std::numeric_limits<double>::infinity());
  }
  // Beams need a way on when their best token is an end.
  if (settings_.beams > 1) kept_min_ = ends.empty() ? 2 : ends.size() + 1;
}

void LogitsChain::apply(logits::Row row, size_t padding, logits::Scores scores) const {
  const auto& s = settings_;
  // A model without an encoder reads its prompt, padding included.
  const logits::Row read =
      call_.encoder_tokens.empty() ? row.first(call_.prompt_length) : logits::Row(call_.encoder_tokens);
  if (!s.sequence_bias.empty()) logits::sequence_bias(scores, row, s.sequence_bias);
  if (s.encoder_repetition_penalty != 1)
    logits::repetition_penalty(scores, read, 1 / s.encoder_repetition_penalty);
  if (s.repetition_penalty != 1)
    logits::repetition_penalty(scores, row.subspan(padding), s.repetition_penalty);
  if (s.presence_penalty != 0 || s.frequency_penalty != 0)
    logits::additive_penalties(scores, row.subspan(call_.prompt_length), s.presence_penalty,
                               s.frequency_penalty);
  if (s.no_repeat_ngram > 0) logits::no_repeat_ngram(scores, row, row, s.no_repeat_ngram);
  if (s.encoder_no_repeat_ngram > 0) logits::no_repeat_ngram(scores, row, read, s.encoder_no_repeat_ngram);
  if (!bad_words_.empty()) logits::sequence_bias(scores, row, bad_words_);
  apply_rules(row, scores);
  if (s.sample) apply_cuts(scores);
  if (s.renormalize) logits::log_softmax(scores);
}

// What is allowed at this length.
void LogitsChain::apply_rules(logits::Row row, logits::Scores scores) const {
  const auto& s = settings_;
  const size_t generated = row.size() - call_.prompt_length;
  if (row.size() < s.length_min.value_or(0) || generated < s.new_tokens_min.value_or(0))
    logits::remove(scores, s.end_tokens);
  if (s.forced_begin && row.size() == 1) logits::force(scores, std::span(&*s.forced_begin, 1));
  if (s.forced_end && row.size() + 1 == call_.length_max) logits::force(scores, std::span(&*s.forced_end, 1));
  if (s.remove_invalid) logits::remove_invalid(scores);
  if (s.length_decay && generated > s.length_decay->first)
    logits::length_decay(
        scores, s.end_tokens,
        std::pow(s.length_decay->second, static_cast<double>(generated - s.length_decay->first)));
  logits::remove(scores, s.suppressed);
  const size_t begin = call_.prompt_length + (call_.prompt_length > 1 || !s.forced_begin ? 0 : 1);
  if (row.size() == begin) logits::remove(scores, s.suppressed_at_begin);
  if (s.times) hold_times(*s.times, row.subspan(call_.prompt_length), scores);
}

void LogitsChain::apply_cuts(logits::Scores scores) const {
  const auto& s = settings_;
  if (s.temperature != 1) logits::temperature(scores, s.temperature);
  if (s.top_h) logits::top_h(scores, *s.top_h);
  if (s.top_k > 0) logits::top_k(scores, s.top_k, kept_min_);
  if (s.top_p < 1) logits::top_p(scores, s.top_p, kept_min_);
  if (s.min_p > 0) logits::min_p(scores, s.min_p, kept_min_);
  if (s.typical_p < 1) logits::typical_p(scores, s.typical_p, kept_min_);
  if (s.epsilon_cutoff > 0 && s.epsilon_cutoff < 1)
    logits::epsilon_cutoff(scores, s.epsilon_cutoff, kept_min_);
  if (s.eta_cutoff > 0 && s.eta_cutoff < 1) logits::eta_cutoff(scores, s.eta_cutoff, kept_min_);
}

}  // namespace holdfast::model
