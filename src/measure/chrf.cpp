#include "measure/chrf.h"

#include "base/check.h"
#include "measure/words.h"

namespace holdfast::measure {
namespace {

struct OrderCounts {
  size_t hypothesis = 0, reference = 0, common = 0;
};
using Counts = std::vector<OrderCounts>;

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// A punctuation mark at an end of a word is a word of its own.
std::vector<std::string> words_and_marks(std::string_view text) {
  std::vector<std::string> out;
  for (std::string& word : split_words(text)) {
    if (split_characters(word).size() == 1) {
      out.push_back(std::move(word));
    } else if (is_punctuation(word.back())) {
      out.push_back(word.substr(0, word.size() - 1));
      out.emplace_back(1, word.back());
    } else if (is_punctuation(word.front())) {
      out.emplace_back(1, word.front());
      out.push_back(word.substr(1));
    } else {
      out.push_back(std::move(word));
    }
  }
  return out;
}

std::vector<Ngrams> all_ngrams(std::string_view text, const ChrfOptions& options) {
  std::string dense;
  for (const std::string& word : split_words(text)) dense += word;
  const auto characters = split_characters(dense);
  std::vector<Ngrams> out;
  for (size_t order = 1; order <= options.char_order; ++order) out.push_back(count_ngrams(characters, order));
  if (options.word_order == 0) return out;
  const auto words = words_and_marks(text);
  for (size_t order = 1; order <= options.word_order; ++order) out.push_back(count_ngrams(words, order));
  return out;
}

size_t total(const Ngrams& ngrams) {
  size_t sum = 0;
  for (const auto& [key, count] : ngrams) sum += count;
  return sum;
}

double score_of(const Counts& counts, double beta) {
  double precision = 0, recall = 0, orders = 0;
  for (const OrderCounts& one : counts) {
    if (one.hypothesis == 0 || one.reference == 0) continue;
    precision += static_cast<double>(one.common) / static_cast<double>(one.hypothesis);
    recall += static_cast<double>(one.common) / static_cast<double>(one.reference);
    orders += 1;
  }
  if (orders == 0 || precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  const double factor = beta * beta;
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

Counts best_counts(std::string_view hypothesis, const std::vector<std::string>& references,
                   const ChrfOptions& options) {
  const auto ours = all_ngrams(hypothesis, options);
  Counts best;
  double best_score = -1;
  for (const std::string& reference : references) {
    const auto theirs = all_ngrams(reference, options);
    Counts counts;
    for (size_t i = 0; i < ours.size(); ++i)
      counts.push_back(
          {theirs[i].empty() ? 0 : total(ours[i]), total(theirs[i]), common_ngrams(ours[i], theirs[i])});
    const double score = score_of(counts, options.beta);
    if (score <= best_score) continue;
    best_score = score;
    best = std::move(counts);
  }
  return best;
}

}  // namespace

double corpus_chrf(std::span<const std::string> hypotheses,
                   std::span<const std::vector<std::string>> references, const ChrfOptions& options) {
  CHECK(hypotheses.size() == references.size());
  Counts sum(options.char_order + options.word_order);
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    const Counts one = best_counts(hypotheses[i], references[i], options);
    for (size_t k = 0; k < one.size(); ++k) {
      sum[k].hypothesis += one[k].hypothesis;
      sum[k].reference += one[k].reference;
      sum[k].common += one[k].common;
    }
  }
  return score_of(sum, options.beta);
}

double sentence_chrf(std::string_view hypothesis, const std::vector<std::string>& references,
                     const ChrfOptions& options) {
  return score_of(best_counts(hypothesis, references, options), options.beta);
}

}  // namespace holdfast::measure
