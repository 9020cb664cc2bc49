#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "media/image.h"

namespace holdfast::media {

bool looks_like_webp(ByteView bytes);
// The first frame, as stored, in Pillow's RGB.
Result<Image> decode_webp(ByteView bytes, size_t pixels_max);

}  // namespace holdfast::media
