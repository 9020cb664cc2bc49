#include "measure/naive_bayes.h"

#include <algorithm>
#include <cmath>

namespace holdfast::measure {
namespace {

bool is_space(unsigned char byte) { return byte <= ' '; }
bool is_letter(unsigned char byte) {
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || byte == '_';
}

void make_set(std::vector<uint32_t>& numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
}

}  // namespace

uint32_t WordNumbers::number_of(std::string_view word) {
  const auto [at, fresh] = numbers_.try_emplace(std::string(word), static_cast<uint32_t>(names_.size()));
  if (fresh) names_.push_back(&at->first);
  return at->second;
}

WordSet WordNumbers::read(std::string_view text, size_t words_max) {
  WordSet out;
  std::string word, before;
  for (size_t at = 0; at < text.size() && out.words.size() < words_max;) {
    if (is_space(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    word.clear();
    do {
      const char byte = text[at++];
      word += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    } while (at < text.size() && is_letter(static_cast<unsigned char>(word.back())) &&
             is_letter(static_cast<unsigned char>(text[at])));
    out.words.push_back(number_of(word));
    if (!before.empty()) out.pairs.push_back(number_of(before + " " + word));
    before = word;
  }
  make_set(out.words);
  make_set(out.pairs);
  return out;
}

NaiveBayes::NaiveBayes(size_t words, size_t labels)
    : labels_(labels), counts_(words * labels), rows_(labels) {}

void NaiveBayes::change(const WordSet& row, uint32_t label, int by) {
  rows_[label] += by;
  for (const uint32_t word : row.words) counts_[word * labels_ + label] += by;
}

std::vector<double> NaiveBayes::scores(const WordSet& row, std::span<const uint32_t> ignored) const {
  std::vector<double> out(labels_);
  for (size_t label = 0; label < labels_; ++label) out[label] = std::log(rows_[label] + 0.5);
  size_t looked_at = 1;
  for (const uint32_t word : row.words) {
    if (std::binary_search(ignored.begin(), ignored.end(), word)) continue;
    ++looked_at;
    for (size_t label = 0; label < labels_; ++label)
      out[label] += std::log((counts_[word * labels_ + label] + 0.5) / (rows_[label] + 1.0));
  }
  const double temper = std::sqrt(static_cast<double>(looked_at));
  for (double& score : out) score /= temper;
  return out;
}

double NaiveBayes::margin(const WordSet& row, uint32_t label, std::span<const uint32_t> ignored) const {
  if (labels_ < 2) return 0;
  std::vector<double> all = scores(row, ignored);
  const double own = all[label];
  all.erase(all.begin() + label);
  return own - *std::max_element(all.begin(), all.end());
}

std::vector<double> NaiveBayes::shares(const WordSet& row, std::span<const uint32_t> ignored) const {
  std::vector<double> all = scores(row, ignored);
  const double top = *std::max_element(all.begin(), all.end());
  double sum = 0;
  for (double& score : all) sum += score = std::exp(score - top);
  for (double& score : all) score /= sum;
  return all;
}

}  // namespace holdfast::measure
