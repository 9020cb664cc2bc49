#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/training/word_counts.h"

namespace holdfast::token {

struct Substring {
  std::string text;
  uint32_t score = 0;  // How often it stands in the list of different words, times its length in characters.
};

// Substrings of 2 to `length_max` characters that stand twice or more and cannot be made longer without
// losing places (the inner nodes of the words' suffix tree), by falling score, then falling text: what a
// suffix array gives the reference library. Each different word counts once. input_too_long beyond 2^31
// characters.
Result<std::vector<Substring>> common_substrings(std::span<const WordCount> words, size_t length_max);

}  // namespace holdfast::token
