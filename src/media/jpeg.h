#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "media/image.h"

namespace holdfast::media {

bool looks_like_jpeg(ByteView bytes);
// The pixels as stored, in Pillow's RGB. Four colours are taken for Adobe's inverted ones, as Pillow does.
Result<Image> decode_jpeg(ByteView bytes, size_t pixels_max);

}  // namespace holdfast::media
