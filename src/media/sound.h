#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::media {

// One channel, in [-1, 1].
struct Sound {
  uint32_t rate = 0;  // Samples a second.
  std::vector<float> samples;
};

struct SoundLimits {
  size_t bytes = 64 << 20;  // Of the file.
  double seconds = 3600;
  size_t samples = 200 << 20;  // Of all channels together.
  uint32_t rate = 768'000;
  uint32_t channels = 32;
};

// WAV (8 to 32 bits, floats), FLAC, Ogg with Vorbis or Opus, or MP3, told by its first bytes. Channels become
// their mean. Length is held against the limits before memory is taken and again while reading. Another
// format is unsupported_media, a broken file bad_request, one beyond the limits body_too_large.
Result<Sound> decode_sound(ByteView bytes, const SoundLimits& limits = {});

}  // namespace holdfast::media
