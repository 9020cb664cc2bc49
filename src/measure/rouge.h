#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::measure {

// ROUGE as rouge-score 0.1.2 computes it, without stemming: lower case, letters and digits only.
struct Rouge {
  double precision = 0, recall = 0, f1 = 0;
};

Rouge rouge_n(std::string_view target, std::string_view prediction, size_t order);
Rouge rouge_l(std::string_view target, std::string_view prediction);
// rougeLsum: sentences are lines; the union of the common subsequences of each with all others.
Rouge rouge_l_sum(std::string_view target, std::string_view prediction);
// The target with the best F1, the first of equals.
Rouge rouge_n(const std::vector<std::string>& targets, std::string_view prediction, size_t order);
Rouge rouge_l(const std::vector<std::string>& targets, std::string_view prediction);

}  // namespace holdfast::measure
