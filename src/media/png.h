#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "media/image.h"

namespace holdfast::media {

bool looks_like_png(ByteView bytes);
// The pixels as stored, in Pillow's RGB: sixteen bits keep their high byte, save grey, which is cut at 255;
// alpha and the transparent colour are dropped; a colour beyond the palette is black.
Result<Image> decode_png(ByteView bytes, size_t pixels_max);

}  // namespace holdfast::media
