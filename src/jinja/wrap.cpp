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

// Runs of blanks and of words; with hyphens a word may end after one that stands between letters.
std::vector<std::string> chunks(const Characters& all, bool on_hyphens) {
  std::vector<std::string> out;
  const auto letter = [&](size_t i) { return i < all.size() && is_alphabetic(code_point(all[i])); };
  for (size_t at = 0; at < all.size();) {
    const bool blank = is_blank(all[at]);
    std::string chunk;
    for (; at < all.size() && is_blank(all[at]) == blank; ++at) {
      chunk += all[at];
      const bool hyphen = on_hyphens && !blank && all[at] == "-" && at >= 2 && letter(at - 1) &&
                          letter(at - 2) && letter(at + 1) && letter(at + 2);
      if (hyphen) {
        ++at;
        break;
      }
    }
    out.push_back(std::move(chunk));
  }
  return out;
}

}  // namespace

std::vector<std::string> wrapped(std::string_view line, const WrapStyle& style) {
  std::vector<std::string> rest = chunks(characters(line), style.break_on_hyphens);
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
        const size_t room = std::max<size_t>(1, style.width - count);
        if (style.width > count || current.empty()) {
          const size_t at = character_offset(word, room);
          current.push_back(word.substr(0, at));
          word.erase(0, at);
        }
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
