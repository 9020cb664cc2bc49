#include "model/vision/position_grid.h"

#include <algorithm>
#include <cmath>

namespace holdfast::model {
namespace {

// What a place of the new grid takes from the old one along one side.
struct Tap {
  size_t from = 0;
  float share = 0;
};

// Keys' cubic convolution.
double cubic(double distance, double a) {
  const double x = std::abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

std::vector<Tap> plain_taps(size_t place, size_t from, size_t to) {
  const double centre =
      (static_cast<double>(place) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
  const double floor = std::floor(centre);
  std::vector<Tap> out;
  for (int step = -1; step <= 2; ++step) {
    const double wished = std::clamp(floor + step, 0.0, static_cast<double>(from - 1));
    out.push_back({static_cast<size_t>(wished), static_cast<float>(cubic(centre - floor - step, -0.75))});
  }
  return out;
}

std::vector<Tap> smooth_taps(size_t place, size_t from, size_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to), wide = std::max(ratio, 1.0);
  const double centre = ratio * (static_cast<double>(place) + 0.5), reach = 2 * wide;
  const auto first = static_cast<size_t>(std::max(std::floor(centre - reach + 0.5), 0.0));
  const auto last =
      static_cast<size_t>(std::clamp(std::floor(centre + reach + 0.5), 0.0, static_cast<double>(from)));
  std::vector<double> shares;
  double sum = 0;
  for (size_t i = first; i < last; ++i) {
    shares.push_back(cubic((static_cast<double>(i) - centre + 0.5) / wide, -0.5));
    sum += shares.back();
  }
  std::vector<Tap> out;
  for (size_t i = first; i < last; ++i)
    out.push_back({i, static_cast<float>(sum != 0 ? shares[i - first] / sum : 0)});
  return out;
}

std::vector<std::vector<Tap>> taps_of(size_t from, size_t to, Resampling kind) {
  std::vector<std::vector<Tap>> out;
  for (size_t place = 0; place < to; ++place)
    out.push_back(kind == Resampling::bicubic ? plain_taps(place, from, to) : smooth_taps(place, from, to));
  return out;
}

}  // namespace

std::vector<float> resample_grid(const std::vector<float>& table, size_t width, Extent from, Extent to,
                                 Resampling kind) {
  const auto columns = taps_of(from.width, to.width, kind), rows = taps_of(from.height, to.height, kind);
  std::vector<float> lines(from.height * to.width * width, 0.0F);
  for (size_t y = 0; y < from.height; ++y)
    for (size_t x = 0; x < to.width; ++x)
      for (const Tap& tap : columns[x])
        for (size_t i = 0; i < width; ++i)
          lines[(y * to.width + x) * width + i] += tap.share * table[(y * from.width + tap.from) * width + i];
  std::vector<float> out(to.area() * width, 0.0F);
  for (size_t y = 0; y < to.height; ++y)
    for (const Tap& tap : rows[y])
      for (size_t i = 0; i < to.width * width; ++i)
        out[y * to.width * width + i] += tap.share * lines[tap.from * to.width * width + i];
  return out;
}

}  // namespace holdfast::model
