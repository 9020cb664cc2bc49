#include "model/generation/next_token.h"

#include <cmath>
#include <limits>

namespace holdfast::model {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014), twice: seeds and steps that are close give draws that are not.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double uniform(uint64_t seed, uint64_t step) {
  return static_cast<double>(mix(mix(seed) ^ mix(~step)) >> 11) * 0x1p-53;  // [0, 1)
}

}  // namespace

TokenId best_token(std::span<const float> scores) {
  float most = -std::numeric_limits<float>::infinity();
  TokenId found = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!(scores[i] > most)) continue;
    most = scores[i];
    found = static_cast<TokenId>(i);
  }
  return found;
}

TokenId sample_token(std::span<const float> scores, uint64_t seed, uint64_t step) {
  const TokenId best = best_token(scores);
  if (scores.empty() || !std::isfinite(scores[best])) return best;
  const float most = scores[best];
  double sum = 0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score) - most);
  double left = uniform(seed, step) * sum;
  for (size_t i = 0; i < scores.size(); ++i) {
    const double share = std::exp(static_cast<double>(scores[i]) - most);
    if (left < share) return static_cast<TokenId>(i);
    left -= share;
  }
  return best;  // Only by rounding at the very end.
}

}  // namespace holdfast::model
