#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::measure {

// Words of a text as numbers, each once, and its pairs of neighbours.
struct WordSet {
  std::vector<uint32_t> words, pairs;  // Sorted.
};

// Gives every word and pair of neighbours a number; letters of ASCII in lower case, punctuation is a word
// each, other bytes belong to the word they stand in.
class WordNumbers {
 public:
  WordSet read(std::string_view text, size_t words_max);
  std::string_view name(uint32_t number) const { return *names_[number]; }
  size_t count() const { return names_.size(); }

 private:
  uint32_t number_of(std::string_view word);
  std::unordered_map<std::string, uint32_t> numbers_;
  std::vector<const std::string*> names_;  // Keys of numbers_, which stay where they are.
};

// Naive Bayes over the presence of words, whose counts can be taken back: what it says of a row that it never
// saw, or of a group of them. Counts are halves above those seen.
class NaiveBayes {
 public:
  NaiveBayes(size_t words, size_t labels);

  void add(const WordSet& row, uint32_t label) { change(row, label, 1); }
  void take_back(const WordSet& row, uint32_t label) { change(row, label, -1); }
  // The logarithm of the odds of `label` against the likeliest other one, for each square root of the words
  // looked at; `ignored` is sorted. 0 with one label only.
  double margin(const WordSet& row, uint32_t label, std::span<const uint32_t> ignored) const;
  // Of all labels: each label's share, at the same temper.
  std::vector<double> shares(const WordSet& row, std::span<const uint32_t> ignored) const;

 private:
  void change(const WordSet& row, uint32_t label, int by);
  std::vector<double> scores(const WordSet& row, std::span<const uint32_t> ignored) const;

  size_t labels_;
  std::vector<int32_t> counts_;  // [word][label]
  std::vector<int32_t> rows_;    // [label]
};

}  // namespace holdfast::measure
