#include "base/nearest_word.h"

#include <algorithm>
#include <array>

namespace holdfast {
namespace {

constexpr size_t letters_max = 64;

// Levenshtein's distance, one row at a time.
size_t edits_between(std::string_view left, std::string_view right) {
  std::array<size_t, letters_max + 1> row;
  for (size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= right.size(); ++j) {
      const size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[right.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known) {
  std::string_view nearest;
  size_t fewest = std::max<size_t>(1, word.size() / 3) + 1;
  if (word.size() > letters_max) return nearest;
  for (std::string_view candidate : known) {
    if (candidate.size() > letters_max) continue;
    const size_t edits = edits_between(word, candidate);
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace holdfast
