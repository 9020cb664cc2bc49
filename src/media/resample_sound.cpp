#include "media/resample_sound.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace holdfast::media {
namespace {

constexpr uint32_t rate_max = 768'000;
constexpr uint64_t reach = 10;               // Samples of the slower rate to each side.
constexpr uint64_t taps_max = 1ULL << 22;    // Of the filter.
constexpr uint64_t samples_max = 200 << 20;  // Of the result.
constexpr double kaiser_beta = 5.0;

// The Bessel function I0, by its series: for the arguments here it has converged after thirty terms.
double bessel_i0(double x) {
  double sum = 1;
  double term = 1;
  for (int k = 1; k < 60; ++k) {
    term *= x / (2 * k) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

// scipy.signal.firwin(2 * half + 1, 1 / rate, window=("kaiser", 5.0)) * gain.
std::vector<double> low_pass(uint64_t half, uint64_t rate, double gain) {
  std::vector<double> taps(2 * half + 1);
  double sum = 0;
  for (size_t i = 0; i < taps.size(); ++i) {
    const double at = static_cast<double>(i) - static_cast<double>(half);
    const double x = std::numbers::pi * at / static_cast<double>(rate);
    const double sinc = at == 0 ? 1 : std::sin(x) / x;
    const double part = at / static_cast<double>(half);
    taps[i] = sinc * bessel_i0(kaiser_beta * std::sqrt(std::max(0.0, 1 - part * part)));
    sum += taps[i];
  }
  for (double& tap : taps) tap *= gain / sum;
  return taps;
}

// The filter taken apart: phase p holds taps p, p + up, p + 2 up ..., so that one output reads one phase.
struct Phases {
  size_t length = 0;
  std::vector<double> taps;  // [up, length], backwards: the earliest sample's tap first.
};

Phases phases_of(const std::vector<double>& taps, uint64_t up) {
  Phases phases;
  phases.length = (taps.size() + up - 1) / up;
  phases.taps.assign(up * phases.length, 0);
  for (size_t i = 0; i < taps.size(); ++i)
    phases.taps[i % up * phases.length + (phases.length - 1 - i / up)] = taps[i];
  return phases;
}

}  // namespace

Result<std::vector<float>> resample(std::span<const float> samples, uint32_t from, uint32_t to) {
  if (from == 0 || to == 0 || from > rate_max || to > rate_max)
    return fail(Reason::bad_request,
                fmt::format("a sound cannot go from {} to {} samples a second", from, to));
  const uint64_t common = std::gcd(from, to);
  const uint64_t up = to / common;
  const uint64_t down = from / common;
  if (up == down) return std::vector<float>(samples.begin(), samples.end());
  const uint64_t half = reach * std::max(up, down);
  if (2 * half + 1 > taps_max)
    return fail(Reason::bad_request,
                fmt::format("going from {} to {} samples a second needs too long a filter", from, to));
  if (samples.size() > samples_max * down / up)
    return fail(Reason::body_too_large, "the sound is too long at its new rate");

  const Phases phases = phases_of(low_pass(half, std::max(up, down), static_cast<double>(up)), up);
  std::vector<float> out((samples.size() * up + down - 1) / down);
  for (size_t m = 0; m < out.size(); ++m) {
    // Tap i meets sample k where half + m * down = i + k * up.
    const uint64_t at = half + m * down;
    const double* taps = phases.taps.data() + at % up * phases.length;
    const auto first = static_cast<int64_t>(at / up) - static_cast<int64_t>(phases.length) + 1;
    const auto begin = static_cast<size_t>(std::max<int64_t>(0, -first));
    const auto end =
        std::min(static_cast<int64_t>(phases.length), static_cast<int64_t>(samples.size()) - first);
    double sum = 0;
    for (size_t j = begin; static_cast<int64_t>(j) < end; ++j)
      sum += taps[j] * static_cast<double>(samples[static_cast<size_t>(first + static_cast<int64_t>(j))]);
    out[m] = static_cast<float>(sum);
  }
  return out;
}

Result<Sound> resample(const Sound& sound, uint32_t to) {
  TRY(std::vector<float> samples, resample(sound.samples, sound.rate, to));
  return Sound{.rate = to, .samples = std::move(samples)};
}

}  // namespace holdfast::media
