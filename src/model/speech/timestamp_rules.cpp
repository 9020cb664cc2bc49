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

void hold_times(const SpeechTimes& times, std::span<const TokenId> written, std::span<float> scores) {
  const size_t first = static_cast<size_t>(times.no_timestamps) + 1;
  const auto is_time = [&](TokenId token) { return token >= first; };
  if (first > scores.size()) return;
  scores[times.no_timestamps] = never;
  const bool last_is_time = !written.empty() && is_time(written.back());
  const bool before_is_time = written.size() < 2 || is_time(written[written.size() - 2]);
  if (last_is_time && before_is_time) forbid(scores, first, scores.size());
  if (last_is_time && !before_is_time) forbid(scores, 0, times.end);
  const auto latest = std::find_if(written.rbegin(), written.rend(), is_time);
  if (latest != written.rend())
    forbid(scores, first, static_cast<size_t>(*latest) + (last_is_time && !before_is_time ? 0 : 1));
  if (written.empty()) {
    forbid(scores, 0, first);
    if (times.first_max > 0) forbid(scores, first + times.first_max + 1, scores.size());
  }
  // Whether all times together are likelier than the likeliest of the rest, in one normalization.
  const auto all = scores.subspan(first);
  const float best_time = all.empty() ? never : *std::max_element(all.begin(), all.end());
  const float best_other = *std::max_element(scores.begin(), scores.begin() + static_cast<ptrdiff_t>(first));
  if (best_time == never) return;
  double sum = 0;
  for (const float score : all) sum += std::exp(static_cast<double>(score) - static_cast<double>(best_time));
  if (static_cast<double>(best_time) + std::log(sum) > static_cast<double>(best_other))
    forbid(scores, 0, first);
}

}  // namespace holdfast::model
