#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::media {

// A picture as eight bits each of red, green and blue: pixels [H, W, 3], rows from the top.
struct Image {
  size_t width = 0;
  size_t height = 0;
  std::vector<uint8_t> pixels;

  bool operator==(const Image&) const = default;
};

struct ImageLimits {
  size_t bytes = 64 << 20;     // Of the file.
  size_t pixels = 89'478'485;  // Where Pillow begins to warn of a decompression bomb.
};

// Cameras store a picture as the sensor lay and note how to turn it (EXIF orientation).
enum class Turn : uint8_t { upright, as_stored };

// PNG, JPEG or WebP, told by its first bytes; of an animation the first frame. The pixels are those of
// Pillow's `ImageOps.exif_transpose(Image.open(f)).convert("RGB")`, which is how transformers' pipelines load
// a picture: alpha is dropped, not blended. Sizes are held against the limits before any memory is taken.
// Another format is unsupported_media, a broken file bad_request, one beyond the limits body_too_large.
Result<Image> decode_image(ByteView bytes, const ImageLimits& limits = {}, Turn turn = Turn::upright);

}  // namespace holdfast::media
