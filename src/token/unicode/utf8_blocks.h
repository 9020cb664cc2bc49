#pragma once

#include <string_view>

namespace holdfast::token {

// Whether the machine has what is_valid_by_blocks() needs (SSSE3).
bool can_validate_by_blocks();
// As is_valid_plain_utf8(), several times faster on text beyond ASCII.
bool is_valid_by_blocks(std::string_view text);

}  // namespace holdfast::token
