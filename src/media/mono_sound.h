#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "media/sound.h"

namespace holdfast::media {

// A sound while a decoder delivers it: blocks of all channels become their mean, within the limits.
class MonoSound {
 public:
  // What a header says, before any memory is taken.
  static Result<MonoSound> open(int64_t rate, int64_t channels, const SoundLimits& limits);

  size_t channels() const { return channels_; }
  size_t frames() const { return sound_.samples.size(); }
  // Whether so many samples of each channel are allowed.
  Status check(uint64_t frames) const;
  // [frames, channels].
  Status add(std::span<const float> block);
  Sound take() && { return std::move(sound_); }

 private:
  MonoSound() = default;

  Sound sound_;
  size_t channels_ = 1;
  uint64_t frames_max_ = 0;
  SoundLimits limits_;
};

}  // namespace holdfast::media
