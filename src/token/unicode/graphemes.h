#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::token {

// End of the extended grapheme cluster (UAX 29, Unicode 17) that begins at `begin`; the text is valid UTF-8.
size_t grapheme_end(std::string_view text, size_t begin);

}  // namespace holdfast::token
