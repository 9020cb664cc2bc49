#include "jinja/wrap.h"

#include <algorithm>

#include "jinja/characters.h"

namespace holdfast::jinja {
namespace {

bool is_blank(std::string_view character) {
  return character.size() == 1 &&
         std::string_view("\t\n\v\f\r ").find(character[0]) != std::string_view::npos;
}

using Characters = std::vector<std::string_view>;

// Where the parts of a text end that a line may be broken between, as Python's textwrap divides it.
class Chunks {
 public:
  Chunks(const Characters& all, bool on_hyphens) : all_(all), on_hyphens_(on_hyphens) {}

  std::vector<std::string> run() const {
    std::vector<std::string> out;
    for (size_t at = 0; at < all_.size();) {
      const size_t end = end_of(at);
      std::string chunk;
      for (; at < end; ++at) chunk += all_[at];
      out.push_back(std::move(chunk));
    }
    return out;
  }

 private:
  size_t end_of(size_t at) const {
    const bool blank = is_blank(all_[at]);
    if (on_hyphens_ && !blank && is_dash(at)) return after_hyphens(at);
    for (size_t end = at + 1;; ++end) {
      if (end >= all_.size() || is_blank(all_[end]) != blank) return std::min(end, all_.size());
      if (!on_hyphens_ || blank) continue;
      if (is_dash(end)) return end;
      if (is_hyphen(end)) return end + 1;
    }
  }

  bool is(size_t i, std::string_view character) const { return i < all_.size() && all_[i] == character; }
  bool is_letter(size_t i) const { return i < all_.size() && is_word(i) && !is_digit(i) && !is(i, "_"); }
  bool is_word(size_t i) const { return i < all_.size() && jinja::is_word(code_point(all_[i])); }
  bool is_digit(size_t i) const { return is_decimal(code_point(all_[i])); }
  size_t after_hyphens(size_t at) const {
    while (is(at, "-")) ++at;
    return at;
  }
  // Two hyphens or more between words.
  bool is_dash(size_t at) const {
    if (at == 0 || !is(at, "-") || !is(at + 1, "-") || !is_word(after_hyphens(at))) return false;
    constexpr std::string_view marks = "!\"'&.,?";
    return is_word(at - 1) || (all_[at - 1].size() == 1 && marks.find(all_[at - 1][0]) != marks.npos);
  }
  // One within a word of letters.
  bool is_hyphen(size_t at) const {
    if (!is(at, "-") || at < 2 || !is_letter(at - 1)) return false;
    const bool before = is_letter(at - 2) || (at >= 3 && is(at - 2, "-") && is_letter(at - 3));
    return before && is_letter(at + 1) && (is_letter(at + 2) || (is(at + 2, "-") && is_letter(at + 3)));
  }

  const Characters& all_;
  bool on_hyphens_;
};

// Where a word that is too long is broken: after its last hyphen before `end`, if something else is before
// it.
size_t after_hyphen(std::string_view word, size_t end) {
  const size_t hyphen = word.substr(0, end).rfind('-');
  if (hyphen == std::string_view::npos || hyphen == 0) return end;
  return word.find_first_not_of('-') < hyphen ? hyphen + 1 : end;
}

}  // namespace

std::vector<std::string> wrapped(std::string_view line, const WrapStyle& style) {
  const Characters all = characters(line);
  std::vector<std::string> rest = Chunks(all, style.break_on_hyphens).run();
  std::reverse(rest.begin(), rest.end());
  std::vector<std::string> lines;
  const auto blank = [](const std::string& chunk) { return stripped(chunk, Ends::both).empty(); };
  while (!rest.empty()) {
    std::vector<std::string> current;
    size_t count = 0;
    if (!lines.empty() && blank(rest.back())) rest.pop_back();
    while (!rest.empty() && count + character_count(rest.back()) <= style.width) {
      count += character_count(rest.back());
      current.push_back(std::move(rest.back()));
      rest.pop_back();
    }
    if (!rest.empty() && character_count(rest.back()) > style.width) {
      std::string& word = rest.back();
      if (style.break_long_words) {
        // As Python does it a piece of nothing, where there is no room, keeps the blank before it.
        size_t at = character_offset(word, style.width - count);
        if (style.break_on_hyphens) at = after_hyphen(word, at);
        current.push_back(word.substr(0, at));
        word.erase(0, at);
      } else if (current.empty()) {
        current.push_back(std::move(word));
        rest.pop_back();
      }
    }
    if (!current.empty() && blank(current.back())) current.pop_back();
    if (current.empty()) continue;
    std::string text;
    for (const std::string& piece : current) text += piece;
    lines.push_back(std::move(text));
  }
  return lines;
}

}  // namespace holdfast::jinja
