// Any bytes: a sound within the limits, or refused.
#include <cstdint>

#include "base/check.h"
#include "media/sound.h"

// libvorbis keeps a few kilobytes of a stream whose headers are broken; nobody outside can give them back.
extern "C" const char* __lsan_default_suppressions() { return "leak:libvorbis"; }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast::media;
  const SoundLimits limits{.seconds = 60, .samples = 1'000'000};
  const auto sound = decode_sound(std::as_bytes(std::span(data, size)), limits);
  if (!sound.ok()) return 0;
  CHECK(!sound.value().samples.empty() && sound.value().samples.size() <= limits.samples &&
        sound.value().rate > 0);
  return 0;
}
