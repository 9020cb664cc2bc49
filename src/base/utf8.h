#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast {

// Length in bytes of the UTF-8 character that non-empty `text` starts with, 0 when there is none (RFC 3629:
// no surrogates, no overlong forms, nothing above U+10FFFF).
size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace holdfast
