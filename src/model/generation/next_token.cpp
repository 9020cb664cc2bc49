#include "model/generation/next_token.h"

#include <algorithm>
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
  constexpr size_t lanes = 16, block = 64;
  float most = -std::numeric_limits<float>::infinity();
  size_t found = 0;
  for (size_t first = 0; first < scores.size(); first += block) {
    const size_t end = std::min(first + block, scores.size());
    if (end - first == block) {  // Most blocks hold nothing better: looked at side by side.
      float peaks[lanes];
      std::fill_n(peaks, lanes, most);
      for (size_t i = first; i < end; i += lanes)
        for (size_t lane = 0; lane < lanes; ++lane)
          peaks[lane] = scores[i + lane] > peaks[lane] ? scores[i + lane] : peaks[lane];
      if (!std::any_of(peaks, peaks + lanes, [&](float peak) { return peak > most; })) continue;
    }
    for (size_t i = first; i < end; ++i) {
      if (!(scores[i] > most)) continue;
      most = scores[i];
      found = i;
    }
  }
  return static_cast<TokenId>(found);
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
