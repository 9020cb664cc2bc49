#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// Lower case, two digits a byte.
std::string to_hex(ByteView bytes);
// Either case; an odd length or another character is bad_request.
Result<Bytes> from_hex(std::string_view text);
// Exactly `digits` lower-case hexadecimal characters: the form of every digest on the wire.
bool is_lower_hex(std::string_view text, size_t digits);

}  // namespace holdfast::codec
