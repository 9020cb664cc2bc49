#include "media/image.h"

#include <fmt/format.h>

#include <utility>

#include "media/jpeg.h"
#include "media/orientation.h"
#include "media/png.h"
#include "media/webp.h"

namespace holdfast::media {

Result<Image> decode_image(ByteView bytes, const ImageLimits& limits, Turn turn) {
  if (bytes.size() > limits.bytes)
    return fail(Reason::body_too_large,
                fmt::format("the image has {} bytes, at most {} are read", bytes.size(), limits.bytes));
  const auto decode = looks_like_png(bytes)    ? decode_png
                      : looks_like_jpeg(bytes) ? decode_jpeg
                      : looks_like_webp(bytes) ? decode_webp
                                               : nullptr;
  if (decode == nullptr)
    return fail(Reason::unsupported_media, "the image is not of a format that is read here: PNG, JPEG, WebP");
  TRY(Image image, decode(bytes, limits.pixels));
  if (turn == Turn::as_stored) return image;
  return turned(std::move(image), orientation(bytes));
}

}  // namespace holdfast::media
