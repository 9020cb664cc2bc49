#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::measure {

// chrF as sacreBLEU 2.6 computes it: F-score of character n-grams (and word n-grams: word_order 2 is chrF++).
struct ChrfOptions {
  size_t char_order = 6, word_order = 0;
  double beta = 2;
};

// 0 to 100; references[i] are those of hypothesis i, of which the best one counts.
double corpus_chrf(std::span<const std::string> hypotheses,
                   std::span<const std::vector<std::string>> references, const ChrfOptions& options = {});
double sentence_chrf(std::string_view hypothesis, const std::vector<std::string>& references,
                     const ChrfOptions& options = {});

}  // namespace holdfast::measure
