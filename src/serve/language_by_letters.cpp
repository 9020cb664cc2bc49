// Naive Bayes over groups of three letters. What is not among the most frequent of a language counts as a
// rare one of it.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/utf8.h"
#include "serve/language_letters.h"

namespace holdfast::serve {
namespace {

constexpr double level_first = -3.5, level_step = -0.35, rare = -10.3;
// Chosen on the held-out texts that docs/serving.md names: 99 of 100 that are told are right.
constexpr double margin_min = 10, margin_a_group = 0.7, known_share_min = 0.6;
constexpr size_t letters_max = 400;  // Longer texts have the words that tell languages apart.

char32_t lower(char32_t c) {
  if ((c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7)) return c + 32;
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xFF;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + c % 2;
  if ((c >= 0x100 && c <= 0x177) || (c >= 0x1E00 && c <= 0x1EFF)) return c | 1;
  return c;
}

bool is_letter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 0xDF && c <= 0x24F && c != 0xF7) || (c >= 0x1E00 && c <= 0x1EFF);
}

// The characters of UTF-8; a byte that begins none is one that is no letter.
std::u32string characters(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const size_t length = std::max<size_t>(utf8_length(text), 1);
    const auto first = static_cast<uint8_t>(text[0]);
    char32_t c = length == 1 ? first : first & (0xFFU >> (length + 1));
    if (length == 1 && first >= 0x80) c = ' ';
    for (size_t i = 1; i < length; ++i) c = (c << 6) | (static_cast<uint8_t>(text[i]) & 0x3F);
    out += c;
    text.remove_prefix(length);
  }
  return out;
}

uint64_t key_of(char32_t a, char32_t b, char32_t c) {
  return (static_cast<uint64_t>(a) << 42) | (static_cast<uint64_t>(b) << 21) | c;
}

using Likelihoods = std::unordered_map<uint64_t, double>;

const std::vector<Likelihoods>& likelihoods() {
  static const std::vector<Likelihoods> all = [] {
    std::vector<Likelihoods> out;
    for (const LanguageLetters& language : language_letters()) {
      Likelihoods& one = out.emplace_back();
      for (size_t level = 0; level < language.levels.size(); ++level) {
        const std::u32string groups = characters(language.levels[level]);
        for (size_t at = 0; at + 3 <= groups.size(); at += 3)
          one[key_of(groups[at], groups[at + 1], groups[at + 2])] =
              level_first + level_step * static_cast<double>(level);
      }
    }
    return out;
  }();
  return all;
}

std::vector<uint64_t> groups_of(std::string_view text) {
  std::vector<uint64_t> out;
  std::u32string word = U"_";
  const auto end_word = [&] {
    word += U'_';
    for (size_t at = 0; at + 3 <= word.size(); ++at)
      out.push_back(key_of(word[at], word[at + 1], word[at + 2]));
    word = U"_";
  };
  size_t letters = 0;
  for (const char32_t raw : characters(text)) {
    const char32_t c = lower(raw);
    if (is_letter(c)) {
      word += c;
      if (++letters == letters_max) break;
    } else if (word.size() > 1) {
      end_word();
    }
  }
  if (word.size() > 1) end_word();
  return out;
}

}  // namespace

LettersGuess language_by_letters(std::string_view text) {
  const std::vector<uint64_t> groups = groups_of(text.substr(0, 8 * letters_max));
  if (groups.empty()) return {};
  const auto& all = likelihoods();
  double best = -1e300, second = -1e300;
  size_t language = 0, known_of_best = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    double sum = 0;
    size_t known = 0;
    for (const uint64_t group : groups) {
      const auto found = all[i].find(group);
      sum += found == all[i].end() ? rare : found->second;
      known += found == all[i].end() ? 0 : 1;
    }
    if (sum > best) {
      second = best;
      best = sum;
      language = i;
      known_of_best = known;
    } else {
      second = std::max(second, sum);
    }
  }
  const auto count = static_cast<double>(groups.size());
  const bool sure = best - second >= std::max(margin_min, margin_a_group * count) &&
                    static_cast<double>(known_of_best) >= known_share_min * count;
  return {language_letters()[language].code, sure};
}

}  // namespace holdfast::serve
