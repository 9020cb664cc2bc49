#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "media/sound.h"

namespace holdfast::media {

// scipy.signal.resample_poly(samples, to, from): the filter is a sinc under a Kaiser window (5.0) that
// reaches ten samples of the slower rate to each side; outside the sound is silence. A rate of zero or beyond
// 768,000, or two rates whose quotient needs a filter of more than 2^22 taps, are bad_request.
Result<std::vector<float>> resample(std::span<const float> samples, uint32_t from, uint32_t to);
Result<Sound> resample(const Sound& sound, uint32_t to);

}  // namespace holdfast::media
