#include "serve/word_watch.h"

#include <algorithm>

#include "serve/guard_verdict.h"

namespace holdfast::serve {
namespace {

// A word with more letters is none of a guardrail's: 200 bytes at most.
constexpr size_t open_letters_max = 1024, letters_kept = 512;

size_t letter_count(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(),
                                           [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += word;
  return out;
}

}  // namespace

WordWatch::WordWatch(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    std::vector<std::string> phrase = plain_words(word);
    if (phrase.empty()) continue;
    if (is_unspaced(word)) {
      joined_.push_back(joined(phrase));
      joined_letters_max_ = std::max(joined_letters_max_, letter_count(joined_.back()));
    } else {
      phrase_words_max_ = std::max(phrase_words_max_, phrase.size());
      phrases_.push_back(std::move(phrase));
    }
  }
}

bool WordWatch::take(std::string_view more) {
  window_ += more;
  return look(false);
}

bool WordWatch::end() { return look(true); }

bool WordWatch::has_phrase(const WordPlaces& places, size_t finished) const {
  for (size_t i = fragment_ ? 1 : 0; i < finished; ++i)
    for (const auto& phrase : phrases_)
      if (phrase.size() <= finished - i &&
          std::equal(phrase.begin(), phrase.end(), places.words.begin() + static_cast<ptrdiff_t>(i),
                     [](const std::string& a, const WordPlaces::Word& b) { return a == b.text; }))
        return true;
  return false;
}

// The first word from which on all that is there may be the beginning of a phrase.
size_t WordWatch::phrase_may_begin(const WordPlaces& places, bool open) const {
  const size_t count = places.words.size();
  const auto begins = [&](const std::vector<std::string>& phrase, size_t i) {
    const size_t length = count - i;
    if (length > phrase.size() || (length == phrase.size() && !open)) return false;
    for (size_t k = 0; k < length; ++k) {
      const std::string& said = places.words[i + k].text;
      // How an unfinished word is read, its next letters decide.
      const bool same =
          open && k + 1 == length ? latin_look(phrase[k]).starts_with(latin_look(said)) : phrase[k] == said;
      if (!same) return false;
    }
    return true;
  };
  for (size_t i = fragment_ ? 1 : 0; i < count; ++i)
    for (const auto& phrase : phrases_)
      if (begins(phrase, i)) return places.words[i].begin;
  return window_.size();
}

size_t WordWatch::joined_may_begin(const WordPlaces& places, const std::string& letters) const {
  const std::string seen = latin_look(letters);
  size_t longest = 0;
  for (const std::string& phrase : joined_) {
    const std::string wanted = latin_look(phrase);
    for (size_t length = std::min(wanted.size() - 1, seen.size()); length > longest; --length)
      if (seen.ends_with(std::string_view(wanted).substr(0, length))) longest = length;
  }
  if (longest == 0) return window_.size();
  const size_t from_end = letter_count(std::string_view(seen).substr(seen.size() - longest));
  return places.letters[places.letters.size() - from_end];
}

bool WordWatch::look(bool last) {
  const WordPlaces places = plain_word_places(window_);
  const bool open = places.open && !last;
  if (has_phrase(places, places.words.size() - (open ? 1 : 0))) return true;
  std::string letters;
  if (!joined_.empty()) {
    for (const WordPlaces::Word& word : places.words) letters += word.text;
    for (const std::string& phrase : joined_)
      if (letters.find(phrase) != std::string::npos) return true;
  }
  held_from_ = window_.size();
  if (last) return false;
  held_from_ = std::min(phrase_may_begin(places, open), joined_may_begin(places, letters));
  forget(places, open);
  return false;
}

// What nothing that follows can make a part of what is looked for.
void WordWatch::forget(const WordPlaces& places, bool open) {
  const size_t words = places.words.size(), letters = places.letters.size();
  size_t keep = held_from_;
  if (!phrases_.empty() && words > 0) {
    const bool endless = open && letter_count(places.words.back().text) > open_letters_max;
    keep = std::min(keep, endless ? places.letters[letters - letters_kept]
                                  : places.words[words - std::min(words, phrase_words_max_)].begin);
  }
  if (letters > 0 && joined_letters_max_ > 0)
    keep = std::min(keep, places.letters[letters - std::min(letters, joined_letters_max_)]);
  if (keep == 0) return;
  fragment_ = std::any_of(places.words.begin(), places.words.end(),
                          [&](const WordPlaces::Word& word) { return word.begin < keep && keep < word.end; });
  base_ += keep;
  held_from_ -= keep;
  window_.erase(0, keep);
}

}  // namespace holdfast::serve
