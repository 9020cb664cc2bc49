#include "model/generation/logits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace holdfast::model::logits {
namespace {

constexpr float removed = -std::numeric_limits<float>::infinity();

float largest(std::span<const float> scores) {
  float found = removed;
  for (const float score : scores) found = std::max(found, score);
  return found;
}

// Probabilities; all zero where everything is removed.
std::vector<double> softmax(std::span<const float> scores) {
  const double most = largest(scores);
  std::vector<double> out(scores.size());
  if (std::isinf(most)) return out;
  double sum = 0;
  for (size_t i = 0; i < scores.size(); ++i) sum += out[i] = std::exp(scores[i] - most);
  for (double& share : out) share /= sum;
  return out;
}

double entropy_of(std::span<const double> shares) {
  double sum = 0;
  for (const double share : shares)
    if (share > 0) sum -= share * std::log(share);
  return sum;
}

// Ids of what is not removed yet.
std::vector<uint32_t> kept_ids(std::span<const float> scores) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] != removed) out.push_back(static_cast<uint32_t>(i));
  return out;
}

// Takes ids one by one, best first, without sorting what is never asked for.
template <class Better>
class BestFirst {
 public:
  BestFirst(std::vector<uint32_t> ids, Better better) : ids_(std::move(ids)), better_(better) {
    std::make_heap(ids_.begin(), ids_.end(), worse());
  }
  bool empty() const { return ids_.empty(); }
  uint32_t take() {
    std::pop_heap(ids_.begin(), ids_.end(), worse());
    const uint32_t id = ids_.back();
    ids_.pop_back();
    return id;
  }
  std::span<const uint32_t> rest() const { return ids_; }

 private:
  auto worse() const {
    return [this](uint32_t a, uint32_t b) { return better_(b, a); };
  }
  std::vector<uint32_t> ids_;
  Better better_;
};

// The score of the `count`th best.
float threshold(std::span<const float> scores, size_t count) {
  std::vector<float> copy(scores.begin(), scores.end());
  const auto at = copy.begin() + static_cast<ptrdiff_t>(std::min(count, copy.size()) - 1);
  std::nth_element(copy.begin(), at, copy.end(), std::greater<>());
  return *at;
}

void cut_below(Scores scores, double least, size_t kept_min) {
  const auto shares = softmax(scores);
  const float floor = threshold(scores, kept_min);
  for (size_t i = 0; i < scores.size(); ++i)
    if (shares[i] < least && scores[i] < floor) scores[i] = removed;
}

bool ends_with(Row row, std::span<const TokenId> tail) {
  return tail.size() <= row.size() &&
         std::equal(tail.begin(), tail.end(), row.end() - ptrdiff_t(tail.size()));
}

}  // namespace

void temperature(Scores scores, double value) {
  for (float& score : scores) score /= static_cast<float>(value);
}

void top_k(Scores scores, size_t count, size_t kept_min) {
  count = std::max(count, kept_min);
  if (count >= scores.size()) return;
  const float floor = threshold(scores, count);
  for (float& score : scores)
    if (score < floor) score = removed;
}

void top_p(Scores scores, double mass, size_t kept_min) {
  const auto shares = softmax(scores);
  BestFirst best(kept_ids(scores), [&](uint32_t a, uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a > b;
  });
  double before = 0;  // The reference cuts ascending sums at 1 - mass: what stands before a token, at mass.
  for (size_t taken = 0; !best.empty() && (taken < kept_min || before < mass); ++taken)
    before += shares[best.take()];
  for (const uint32_t id : best.rest()) scores[id] = removed;
}

void min_p(Scores scores, double share, size_t kept_min) {
  const auto shares = softmax(scores);
  cut_below(scores, share * *std::max_element(shares.begin(), shares.end()), kept_min);
}

void typical_p(Scores scores, double mass, size_t kept_min) {
  const auto shares = softmax(scores);
  const double entropy = entropy_of(shares);
  std::vector<double> distance(scores.size());
  for (size_t i = 0; i < scores.size(); ++i) distance[i] = std::abs(-std::log(shares[i]) - entropy);
  BestFirst best(kept_ids(scores), [&](uint32_t a, uint32_t b) {
    return distance[a] != distance[b] ? distance[a] < distance[b] : a < b;
  });
  double sum = 0, last = 0;
  size_t taken = 0;
  // The first whose sum reaches the mass is the last that is kept, and its equals with it.
  while (!best.empty() && (taken < kept_min || sum < mass)) {
    const bool wanted = sum < mass;
    const uint32_t id = best.take();
    sum += shares[id];
    if (wanted) last = distance[id];
    ++taken;
  }
  for (const uint32_t id : best.rest())
    if (distance[id] > last) scores[id] = removed;
}

void top_h(Scores scores, double share) {
  constexpr size_t considered_max = 100;
  BestFirst best(kept_ids(scores), [&](uint32_t a, uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  std::vector<uint32_t> ids;
  while (!best.empty() && ids.size() < considered_max) ids.push_back(best.take());
  for (const uint32_t id : best.rest()) scores[id] = removed;
  std::vector<float> head;
  for (const uint32_t id : ids) head.push_back(scores[id]);
  const auto shares = softmax(head);
  const double limit = entropy_of(shares) * share;
  double sum = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (shares[i] > 0) sum -= shares[i] * std::log(shares[i]);
    if (i > 0 && sum > limit) scores[ids[i]] = removed;
  }
}

void epsilon_cutoff(Scores scores, double least, size_t kept_min) { cut_below(scores, least, kept_min); }

void eta_cutoff(Scores scores, double least, size_t kept_min) {
  const double entropy = entropy_of(softmax(scores));
  cut_below(scores, std::min(least, std::sqrt(least) * std::exp(-entropy)), kept_min);
}

void repetition_penalty(Scores scores, Row row, double penalty) {
  std::vector<bool> seen(scores.size());
  const auto factor = static_cast<float>(penalty);
  for (const TokenId id : row) {
    if (id >= scores.size() || seen[id]) continue;
    seen[id] = true;
    scores[id] = scores[id] < 0 ? scores[id] * factor : scores[id] / factor;
  }
}

void additive_penalties(Scores scores, Row generated, double presence, double frequency) {
  std::unordered_map<TokenId, size_t> counts;
  for (const TokenId id : generated) ++counts[id];
  for (const auto& [id, count] : counts)
    if (id < scores.size())
      scores[id] -= static_cast<float>(presence + frequency * static_cast<double>(count));
}

void no_repeat_ngram(Scores scores, Row row, Row source, size_t length) {
  if (length == 0 || row.size() + 1 < length || source.size() < length) return;
  const Row tail = row.subspan(row.size() + 1 - length);
  for (size_t at = 0; at + length <= source.size(); ++at) {
    const Row gram = source.subspan(at, length);
    if (std::equal(tail.begin(), tail.end(), gram.begin()) && gram.back() < scores.size())
      scores[gram.back()] = removed;
  }
}

void sequence_bias(Scores scores, Row row, std::span<const std::pair<std::vector<TokenId>, double>> biases) {
  // Summed before they are added, as the reference does: the rounding is its.
  std::unordered_map<TokenId, float> sums;
  for (const auto& [tokens, bias] : biases) {
    if (tokens.back() < scores.size() && ends_with(row, std::span(tokens).first(tokens.size() - 1)))
      sums[tokens.back()] += static_cast<float>(bias);
  }
  for (const auto& [id, bias] : sums) scores[id] += bias;
}

void remove(Scores scores, std::span<const TokenId> tokens) {
  for (const TokenId id : tokens)
    if (id < scores.size()) scores[id] = removed;
}

void force(Scores scores, std::span<const TokenId> tokens) {
  std::fill(scores.begin(), scores.end(), removed);
  for (const TokenId id : tokens)
    if (id < scores.size()) scores[id] = 0;
}

void remove_invalid(Scores scores) {
  for (float& score : scores) {
    if (std::isnan(score)) score = 0;
    score = std::clamp(score, std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max());
  }
}

void length_decay(Scores scores, std::span<const TokenId> end_tokens, double factor_power) {
  for (const TokenId id : end_tokens)
    if (id < scores.size() && std::isfinite(scores[id]))
      scores[id] += std::abs(scores[id]) * static_cast<float>(factor_power - 1);
}

void log_softmax(Scores scores) {
  const float most = largest(scores);
  if (std::isinf(most)) return;
  double sum = 0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score - most));
  const auto log_sum = static_cast<float>(std::log(sum));
  for (float& score : scores) score = score - most - log_sum;
}

}  // namespace holdfast::model::logits
