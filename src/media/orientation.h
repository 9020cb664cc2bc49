#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "media/image.h"

namespace holdfast::media {

// The EXIF orientation of a PNG, JPEG or WebP, 1 to 8: what the bytes say, or 1 where they say nothing that
// can be read. Where EXIF has none, XMP's tiff:Orientation counts, as for Pillow.
uint8_t orientation(ByteView file);

// The picture as it should be seen: mirrored and turned by quarters.
Image turned(Image image, uint8_t orientation);

}  // namespace holdfast::media
