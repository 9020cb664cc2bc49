#pragma once

#include <string>

namespace holdfast::token {

// A PCRE2 pattern of one extended grapheme cluster as Oniguruma has them, whatever Unicode version PCRE2 was
// built with: UAX 29 without its rule for conjuncts, so a consonant begins a cluster.
const std::string& grapheme_text();
// Of a place between two characters of one cluster.
const std::string& within_grapheme_text();

}  // namespace holdfast::token
