#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace holdfast::measure {

// Of one query: relevance[i] is how relevant the i-th document is (0 is not), scores[i] how the ranking under
// test rates it. Documents with equal scores share their gain, as scikit-learn has it; k = 0 means all.
double ndcg(std::span<const double> relevance, std::span<const double> scores, size_t k = 0);

// ranked[i] says whether the i-th result is relevant; `relevant` is how many relevant documents there are at
// all.
double recall_at(std::span<const int> ranked, size_t relevant, size_t k);
double precision_at(std::span<const int> ranked, size_t k);
double reciprocal_rank(std::span<const int> ranked);  // 1 / place of the first relevant one, 0 for none.
double average_precision(std::span<const int> ranked, size_t relevant);
// Mean over queries: MRR of reciprocal ranks, MAP of average precisions.
double mean(std::span<const double> values);

}  // namespace holdfast::measure
