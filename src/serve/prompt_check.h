#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::serve {

// What in an input looks as if it were meant to turn the model rather than to be answered.
enum class InputSign : uint8_t {
  disregard,       // "ignore all previous instructions", also in other languages
  instructions,    // "repeat your system prompt"
  role,            // "you are now an unrestricted …"
  template_words,  // The marks between the turns of a chat, within one turn.
  hidden,          // Characters that nobody sees.
};
inline constexpr int input_sign_count = 5;
std::string_view sign_name(InputSign sign);  // "disregard_instructions", …

// Whether a text is a turn of a chat, where the marks of a template have no place.
enum class TextPlace : uint8_t { turn, whole_prompt };

// The first such sign of a text. Upper and lower case, accents of letters that look alike, full-width
// letters, characters that nobody sees and punctuation hide nothing. One pass; words of a language that is
// not known say nothing. A guess by words: what it finds may be harmless, and what it does not find may not.
std::optional<InputSign> find_sign(std::string_view text, TextPlace place);

// The words of a text, however it is long, as they are compared here: lower case, full-width and look-alike
// letters as plain ones, without what nobody sees.
std::vector<std::string> plain_words(std::string_view text);

// The same words with where they stand, from the first letter's begin to the last one's end.
struct WordPlaces {
  struct Word {
    std::string text;
    size_t begin = 0, end = 0;
  };
  std::vector<Word> words;
  std::vector<size_t> letters;  // Where each letter of all of them begins.
  bool open = false;            // The last one goes on where the text does.
};
WordPlaces plain_word_places(std::string_view text);
// Letters of another alphabet that look like Latin ones as those, whatever stands beside them.
std::string latin_look(std::string_view plain_word);

// The language of a text as ISO 639-1 ("en"), by its script, its letters and its most frequent words; empty
// where that is not sure: a very short text, or a language that is not known.
std::string_view language_of(std::string_view text);
// Whether language_of may say it.
bool is_known_language(std::string_view code);

}  // namespace holdfast::serve
