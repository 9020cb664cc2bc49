// Any bytes: a picture of the size that it says, or refused.
#include <cstdint>

#include "base/check.h"
#include "media/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast::media;
  const auto bytes = std::as_bytes(std::span(data, size));
  constexpr size_t pixels_max = 100'000;
  const auto image = decode_image(bytes, {.pixels = pixels_max});
  if (!image.ok()) return 0;
  const Image& made = image.value();
  CHECK(made.width * made.height <= pixels_max && made.pixels.size() == made.width * made.height * 3);
  return 0;
}
