#include "model/speech/timestamp_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace holdfast::model {
namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

void forbid(std::span<float> scores, size_t from, size_t to) {
  to = std::min(to, scores.size());
  if (from < to)
    std::fill(scores.begin() + static_cast<ptrdiff_t>(from), scores.begin() + static_cast<ptrdiff_t>(to),
              never);
}

}  // namespace

Status TimedRows::begin(std::span<const std::vector<TokenId>> prompts, std::span<float> scores) {
  TRY_DONE(model_.begin(prompts, scores));
  written_.assign(prompts.size(), {});
  hold_all(scores);
  return Done{};
}

Status TimedRows::extend(std::span<const size_t> parents, std::span<const TokenId> tokens,
                         std::span<float> scores) {
  TRY_DONE(model_.extend(parents, tokens, scores));
  std::vector<std::vector<TokenId>> next;
  for (size_t row = 0; row < parents.size(); ++row) {
    next.push_back(written_[parents[row]]);
    next.back().push_back(tokens[row]);
  }
  written_ = std::move(next);
  hold_all(scores);
  return Done{};
}

void TimedRows::hold_all(std::span<float> scores) const {
  const size_t width = vocabulary();
  for (size_t row = 0; row < written_.size(); ++row) hold(written_[row], scores.subspan(row * width, width));
}

void TimedRows::hold(std::span<const TokenId> written, std::span<float> scores) const {
  const size_t first = static_cast<size_t>(rules_.no_timestamps) + 1;
  const auto is_time = [&](TokenId token) { return token >= first; };
  for (const TokenId token : rules_.suppressed)
    if (token < scores.size()) scores[token] = never;
  if (written.empty())
    for (const TokenId token : rules_.suppressed_at_begin)
      if (token < scores.size()) scores[token] = never;
  if (first > scores.size()) return;
  scores[rules_.no_timestamps] = never;
  const bool last_is_time = !written.empty() && is_time(written.back());
  const bool before_is_time = written.size() < 2 || is_time(written[written.size() - 2]);
  if (last_is_time && before_is_time) forbid(scores, first, scores.size());
  if (last_is_time && !before_is_time) forbid(scores, 0, rules_.end);
  const auto latest = std::find_if(written.rbegin(), written.rend(), is_time);
  if (latest != written.rend())
    forbid(scores, first, static_cast<size_t>(*latest) + (last_is_time && !before_is_time ? 0 : 1));
  if (written.empty()) {
    forbid(scores, 0, first);
    if (rules_.first_max > 0) forbid(scores, first + rules_.first_max + 1, scores.size());
  }
  // Whether all times together are likelier than the likeliest of the rest, in one normalization.
  const auto times = scores.subspan(first);
  const float best_time = times.empty() ? never : *std::max_element(times.begin(), times.end());
  const float best_other = *std::max_element(scores.begin(), scores.begin() + static_cast<ptrdiff_t>(first));
  if (best_time == never) return;
  double sum = 0;
  for (const float score : times)
    sum += std::exp(static_cast<double>(score) - static_cast<double>(best_time));
  if (static_cast<double>(best_time) + std::log(sum) > static_cast<double>(best_other))
    forbid(scores, 0, first);
}

}  // namespace holdfast::model
