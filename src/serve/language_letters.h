#pragma once

#include <array>
#include <span>
#include <string_view>

namespace holdfast::serve {

// The 500 groups of three letters that a language written in Latin letters has most, by how often they are:
// one list a level, three characters each, '_' for what is beside a word. A group of level n has the
// likelihood exp(-3.5 - 0.35 n).
struct LanguageLetters {
  std::string_view code;  // Empty: one that is not told, and none of those that are.
  std::array<std::string_view, 16> levels;
};
std::span<const LanguageLetters> language_letters();

// The language that a text's letters are most like, of a few words already: those of ASCII, and those with
// accents, of whatever case. Empty: none that is told. What is not sure needs a second witness.
struct LettersGuess {
  std::string_view code;
  bool sure = false;
};
LettersGuess language_by_letters(std::string_view text);

}  // namespace holdfast::serve
