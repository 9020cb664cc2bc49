#include "tensor/four_bits.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/quantize_blocks.h"

namespace holdfast::tensor {
namespace {

struct Fit {
  float scale = 0;
  double error = 0;
};

int code_of(float x, float inverse) {
  return static_cast<int>(std::clamp(x * inverse, -8.0F, 7.0F) + 8.5F) - 8;
}

// The error of x by codes of 1 / scale_for_codes, with the scale that suits these codes best; as it is where
// that is no better.
Fit fit(std::span<const float> x, std::span<const float> weights, float scale_for_codes) {
  const float inverse = scale_for_codes != 0 ? 1.0F / scale_for_codes : 0.0F;
  double product = 0, squares = 0, all = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const int code = code_of(x[i], inverse);
    product += double(weights[i]) * x[i] * code;
    squares += double(weights[i]) * code * code;
    all += double(weights[i]) * x[i] * x[i];
  }
  const auto error_with = [&](float scale) {
    return all - 2 * double(scale) * product + double(scale) * scale * squares;
  };
  Fit out{scale_for_codes, error_with(scale_for_codes)};
  if (squares > 0) {
    const float best = from_half(to_half(static_cast<float>(product / squares)));
    if (const double error = error_with(best); std::isfinite(best) && error < out.error) out = {best, error};
  }
  return out;
}

}  // namespace

float fit_four_bits(std::span<const float> x, std::span<int8_t> codes) {
  constexpr float steps_least = 7, step = 0.25F;
  constexpr int candidates = 9;  // To 9.
  float most = 0;
  double squares = 0;
  for (const float number : x) {
    if (std::abs(number) > std::abs(most)) most = number;
    squares += double(number) * number;
  }
  std::fill(codes.begin(), codes.end(), int8_t{0});
  if (most == 0) return 0;
  const double mean = squares / static_cast<double>(x.size());
  std::vector<float> weights;
  for (const float number : x)
    weights.push_back(static_cast<float>(std::sqrt(mean + double(number) * number)));
  const auto nearest_half = [](float scale) { return from_half(to_half(scale)); };
  float of_codes = nearest_half(most / -8.0F);
  Fit best = fit(x, weights, of_codes);
  for (int i = 0; i < candidates; ++i)
    for (const float sign : {-1.0F, 1.0F}) {
      const float scale = nearest_half(sign * most / (steps_least + step * static_cast<float>(i)));
      if (const Fit found = fit(x, weights, scale); found.error < best.error) {
        best = found;
        of_codes = scale;
      }
    }
  for (size_t i = 0; i < x.size(); ++i)
    codes[i] = static_cast<int8_t>(code_of(x[i], of_codes != 0 ? 1.0F / of_codes : 0.0F));
  return best.scale;
}

}  // namespace holdfast::tensor
