#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace holdfast::codec {

// CRC-32 of IEEE 802.3 (zlib, gzip, zip). `before` continues an earlier result.
uint32_t crc32(ByteView bytes, uint32_t before = 0);

}  // namespace holdfast::codec
