#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace holdfast::codec {

// HMAC (RFC 2104) with SHA-256. The digest is the type of codec/sha256.h.
std::array<std::byte, 32> hmac_sha256(ByteView key, ByteView message);

// Takes the same time wherever the difference is. Different lengths differ.
bool equal_in_constant_time(ByteView left, ByteView right);

}  // namespace holdfast::codec
