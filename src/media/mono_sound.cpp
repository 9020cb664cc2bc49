#include "media/mono_sound.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::media {

Result<MonoSound> MonoSound::open(int64_t rate, int64_t channels, const SoundLimits& limits) {
  if (rate <= 0 || channels <= 0 || rate > limits.rate || channels > limits.channels)
    return fail(Reason::bad_request,
                fmt::format("the sound has {} samples a second and {} channels; at most {} and {} are read",
                            rate, channels, limits.rate, limits.channels));
  MonoSound mono;
  mono.sound_.rate = static_cast<uint32_t>(rate);
  mono.channels_ = static_cast<size_t>(channels);
  mono.frames_max_ = std::min(limits.samples / mono.channels_,
                              static_cast<size_t>(limits.seconds * static_cast<double>(rate)));
  mono.limits_ = limits;
  return mono;
}

Status MonoSound::check(uint64_t frames) const {
  if (frames <= frames_max_) return Done{};
  return fail(Reason::body_too_large,
              fmt::format("the sound is too long: at most {} seconds and {} samples are read",
                          limits_.seconds, limits_.samples));
}

Status MonoSound::add(std::span<const float> block) {
  const size_t count = block.size() / channels_;
  TRY_DONE(check(frames() + count));
  for (size_t i = 0; i < count; ++i) {
    float sum = 0;
    for (size_t c = 0; c < channels_; ++c) sum += block[i * channels_ + c];
    sound_.samples.push_back(channels_ == 1 ? sum : sum / static_cast<float>(channels_));
  }
  return Done{};
}

}  // namespace holdfast::media
