#pragma once

#include <cstdint>
#include <vector>

namespace holdfast::token {

// General categories (enum Category) as Unicode 14 had them, one byte a code point; 0 for surrogates.
std::vector<uint8_t> categories_of_unicode_14();

}  // namespace holdfast::token
