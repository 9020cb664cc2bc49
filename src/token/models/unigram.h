#pragma once

#include <string>
#include <utility>
#include <vector>

#include "token/models/model.h"
#include "token/models/vocabulary.h"

namespace holdfast::token {

enum class ByteFallback : uint8_t { no, yes };

// The likeliest way through a word, by the scores of its pieces (log probabilities). Neighbouring unknown
// characters are one token.
class Unigram final : public Model {
 public:
  static constexpr double unknown_penalty = 10;  // Below the least score.

  struct Entry {
    std::string piece;
    double score = 0;
  };

  // Of equal pieces the last counts. `unknown` is an index of the entries.
  Unigram(std::vector<Entry> entries, std::optional<uint32_t> unknown, ByteFallback fallback);

  Result<std::vector<Token>> tokenize(std::string_view piece) const override;
  std::optional<uint32_t> id_of(std::string_view token) const override;
  std::optional<std::string_view> token_of(uint32_t id) const override;
  size_t vocabulary_size() const override { return entries_.size(); }

  const std::vector<Entry>& entries() const { return entries_; }
  std::optional<uint32_t> unknown() const { return unknown_; }
  ByteFallback fallback() const { return fallback_; }
  double unknown_score() const { return unknown_score_; }

 private:
  Result<std::vector<Span>> best_path(std::string_view piece) const;
  bool add_bytes(std::string_view part, Span range, std::vector<Token>& out) const;

  std::vector<Entry> entries_;
  TextMap<uint32_t> ids_;
  std::optional<uint32_t> unknown_;
  ByteFallback fallback_;
  double unknown_score_ = 0;
  size_t piece_bytes_max_ = 0;
};

}  // namespace holdfast::token
