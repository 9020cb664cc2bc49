#include "measure/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace holdfast::measure {
namespace {

double discount(size_t place, size_t k) {
  return k != 0 && place >= k ? 0 : 1 / std::log2(static_cast<double>(place) + 2);
}

double gain(std::span<const double> relevance, std::span<const double> scores, size_t k) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  double sum = 0;
  for (size_t start = 0; start < order.size();) {
    size_t end = start;
    double relevances = 0, discounts = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[start]]; ++end) {
      relevances += relevance[order[end]];
      discounts += discount(end, k);
    }
    sum += relevances / static_cast<double>(end - start) * discounts;
    start = end;
  }
  return sum;
}

}  // namespace

double ndcg(std::span<const double> relevance, std::span<const double> scores, size_t k) {
  CHECK(relevance.size() == scores.size());
  // The best order needs no sharing: equal relevances gain the same.
  const double best = gain(relevance, relevance, k);
  return best == 0 ? 0 : gain(relevance, scores, k) / best;
}

double recall_at(std::span<const int> ranked, size_t relevant, size_t k) {
  if (relevant == 0) return 0;
  const auto top = ranked.first(std::min(k, ranked.size()));
  return static_cast<double>(std::count_if(top.begin(), top.end(), [](int hit) { return hit != 0; })) /
         static_cast<double>(relevant);
}

double precision_at(std::span<const int> ranked, size_t k) {
  if (k == 0) return 0;
  return recall_at(ranked, k, k);
}

double reciprocal_rank(std::span<const int> ranked) {
  for (size_t i = 0; i < ranked.size(); ++i)
    if (ranked[i] != 0) return 1 / static_cast<double>(i + 1);
  return 0;
}

double average_precision(std::span<const int> ranked, size_t relevant) {
  double sum = 0, hits = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    if (ranked[i] == 0) continue;
    hits += 1;
    sum += hits / static_cast<double>(i + 1);
  }
  return relevant == 0 ? 0 : sum / static_cast<double>(relevant);
}

double mean(std::span<const double> values) {
  return values.empty()
             ? 0
             : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace holdfast::measure
