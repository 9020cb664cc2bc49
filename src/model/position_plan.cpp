#include "model/position_plan.h"

#include <cmath>

namespace holdfast::model {
namespace {

constexpr double base = 10'000;

// In double precision, as the reference computes it.
void fill_marian(std::vector<float>& out, size_t rows, size_t width) {
  const size_t sines = (width + 1) / 2;
  for (size_t row = 0; row < rows; ++row)
    for (size_t i = 0; i < width; ++i) {
      const size_t pair = i < sines ? i : i - sines;
      const double angle = static_cast<double>(row) /
                           std::pow(base, 2 * static_cast<double>(pair) / static_cast<double>(width));
      out[row * width + i] = static_cast<float>(i < sines ? std::sin(angle) : std::cos(angle));
    }
}

// In single precision, as the reference computes it.
void fill_fairseq(std::vector<float>& out, size_t rows, size_t width) {
  const size_t half = width / 2;
  const auto step = static_cast<float>(-std::log(base) / (static_cast<double>(half) - 1));
  for (size_t i = 0; i < half; ++i) {
    const float frequency = std::exp(static_cast<float>(i) * step);
    for (size_t row = 0; row < rows; ++row) {
      const float angle = static_cast<float>(row) * frequency;
      out[row * width + i] = std::sin(angle);
      out[row * width + half + i] = std::cos(angle);
    }
  }
  for (size_t i = 0; rows > 1 && i < width; ++i) out[width + i] = 0;
}

}  // namespace

std::vector<float> sinusoid_rows(Sinusoid kind, size_t rows, size_t width) {
  std::vector<float> out(rows * width, 0.0F);
  if (kind == Sinusoid::marian) fill_marian(out, rows, width);
  if (kind == Sinusoid::fairseq && width >= 4) fill_fairseq(out, rows, width);
  return out;
}

}  // namespace holdfast::model
