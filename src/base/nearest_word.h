#pragma once

#include <span>
#include <string_view>

namespace holdfast {

// The known word that `word` was probably meant to be: the one with the fewest single-letter edits, at most a
// third of its length and at least one. Empty when none is near. Words beyond 64 letters are not compared.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace holdfast
