#pragma once

#include <string_view>

namespace holdfast::token {

// U+2581, which SentencePiece models write for a space.
inline constexpr std::string_view space_sign = "\xE2\x96\x81";

}  // namespace holdfast::token
