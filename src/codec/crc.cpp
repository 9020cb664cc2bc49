#include "codec/crc.h"

#include <zlib.h>

namespace holdfast::codec {

uint32_t crc32(ByteView bytes, uint32_t before) {
  return static_cast<uint32_t>(
      ::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace holdfast::codec
