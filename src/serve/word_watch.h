#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/prompt_check.h"

namespace holdfast::serve {

// has_words (guard_verdict.h) for a text that comes in pieces: finds what that finds in all of it, and says
// how much may be let through meanwhile, so that no part of what is found ever is. Held back is only what may
// be the beginning of one of the words. One thread.
class WordWatch {
 public:
  explicit WordWatch(const std::vector<std::string>& words);

  bool take(std::string_view more);  // More of the text. True: one of the words is in it.
  bool end();                        // Nothing follows: true as above.
  // Bytes from the text's begin that cannot be a part of one of the words, whatever follows.
  size_t cleared() const { return base_ + held_from_; }

 private:
  bool look(bool last);
  bool has_phrase(const WordPlaces& places, size_t finished) const;
  size_t phrase_may_begin(const WordPlaces& places, bool open) const;
  size_t joined_may_begin(const WordPlaces& places, const std::string& letters) const;
  void forget(const WordPlaces& places, bool open);

  std::vector<std::vector<std::string>> phrases_;  // Of whole words.
  std::vector<std::string> joined_;                // Of writing without spaces: anywhere.
  size_t phrase_words_max_ = 0, joined_letters_max_ = 0;
  std::string window_;     // What of the text is still looked at;
  size_t base_ = 0;        // where it begins,
  bool fragment_ = false;  // and whether that is within a word.
  size_t held_from_ = 0;   // In the window.
};

}  // namespace holdfast::serve
