#include "media/mel_filters.h"

#include <algorithm>
#include <cmath>

namespace holdfast::media {
namespace {

// Slaney's scale is a line up to 1 kHz and a logarithm above.
constexpr double bend_hertz = 1000;
constexpr double bend_mel = 15;
const double bend_step = std::log(6.4) / 27;

double to_mel(double hertz, MelScale scale) {
  switch (scale) {
    case MelScale::slaney:
      return hertz >= bend_hertz ? bend_mel + std::log(hertz / bend_hertz) / bend_step : 3 * hertz / 200;
    case MelScale::kaldi:
      return 1127 * std::log(1 + hertz / 700);
  }
  return 0;
}

double to_hertz(double mel, MelScale scale) {
  switch (scale) {
    case MelScale::slaney:
      return mel >= bend_mel ? bend_hertz * std::exp(bend_step * (mel - bend_mel)) : 200 * mel / 3;
    case MelScale::kaldi:
      return 700 * (std::exp(mel / 1127) - 1);
  }
  return 0;
}

}  // namespace

MelFilters::MelFilters(const MelOptions& options) {
  const bool straight_in_mel = options.scale == MelScale::kaldi;
  const double low = to_mel(options.lowest, options.scale);
  const double high = to_mel(options.highest, options.scale);
  std::vector<double> corners(options.mels + 2);
  for (size_t i = 0; i < corners.size(); ++i) {
    const double mel = low + (high - low) * static_cast<double>(i) / static_cast<double>(corners.size() - 1);
    corners[i] = straight_in_mel ? mel : to_hertz(mel, options.scale);
  }
  std::vector<double> places(options.bins);
  for (size_t i = 0; i < places.size(); ++i) {
    const auto whole =
        straight_in_mel ? static_cast<double>(options.rate) / 2 : static_cast<double>(options.rate / 2);
    const double hertz = whole * static_cast<double>(i) / static_cast<double>(places.size() - 1);
    places[i] = straight_in_mel ? to_mel(hertz, options.scale) : hertz;
  }
  filters_.resize(options.mels);
  for (size_t m = 0; m < options.mels; ++m) {
    const double left = corners[m];
    const double top = corners[m + 1];
    const double right = corners[m + 2];
    const double scale = straight_in_mel ? 1 : 2 / (right - left);
    Filter& filter = filters_[m];
    for (size_t i = 0; i < places.size(); ++i) {
      const double weight = std::min((places[i] - left) / (top - left), (right - places[i]) / (right - top));
      if (!(weight > 0)) continue;
      if (filter.weights.empty()) filter.first = i;
      filter.weights.resize(i - filter.first);
      filter.weights.push_back(weight * scale);
    }
  }
}

double MelFilters::apply(size_t mel, std::span<const double> power) const {
  const Filter& filter = filters_[mel];
  double sum = 0;
  for (size_t i = 0; i < filter.weights.size(); ++i) sum += filter.weights[i] * power[filter.first + i];
  return sum;
}

double MelFilters::weight(size_t mel, size_t bin) const {
  const Filter& filter = filters_[mel];
  return bin >= filter.first && bin - filter.first < filter.weights.size()
             ? filter.weights[bin - filter.first]
             : 0;
}

}  // namespace holdfast::media
