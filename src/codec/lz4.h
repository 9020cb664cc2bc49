#pragma once

#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// LZ4 frames (magic 04 22 4D 18), by liblz4.

// One frame without checksums; empty when it would be longer than `bytes_max`.
Bytes lz4_frame_compress(ByteView bytes, size_t bytes_max);
// How many bytes LZ4 would make of `sample`, without headers: to tell whether compressing is worth its time.
size_t lz4_estimate(ByteView sample);
// Decodes exactly one frame. It must fill `into` to the last byte and end with the input; anything else is
// bad_request. Never writes past `into`.
Status lz4_frame_decompress(ByteView frame, std::span<std::byte> into);

}  // namespace holdfast::codec
