#pragma once

#include <cstdint>
#include <span>

#include "token/unicode/reference_tables.h"

namespace holdfast::token::tables {

// Runs of code points of one value, as `first << 8 | value`, sorted; a run ends where the next begins.
// Values of category_runs: the category (enum Category) and the bits below.
extern const std::span<const uint32_t> category_runs;
extern const std::span<const uint32_t>
    grapheme_runs;  // Values: enum GraphemeClass; without Hangul syllables.
extern const std::span<const uint32_t> script_runs;

// Triples: first, second, what they compose to. Sorted by the first two. Without Hangul.
extern const std::span<const char32_t> compositions;
extern const std::span<const char32_t>
    undecomposed;                               // Compatibility decompositions the reference does not know.
extern const std::span<const CodeRange> marks;  // Of general category M when Unicode 9 was new.
extern const std::span<const CodeRange> conjunct_extend;

}  // namespace holdfast::token::tables
