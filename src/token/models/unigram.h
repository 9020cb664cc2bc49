#pragma once

#include <string>
#include <utility>
#include <vector>

#include "token/models/model.h"
#include "token/models/vocabulary.h"

namespace holdfast::token {

enum class ByteFallback : uint8_t { no, yes };

// A score, exact to the last bit, as the reference's JSON reader makes it of the same digits: a whole number
// times or by a power of ten, which may be its neighbour. Equally good ways are told apart by that bit.
double score_as_read(double exact);

// The likeliest way through a word, by the scores of its pieces (log probabilities). Neighbouring unknown
// characters are one token.
class Unigram final : public Model {
 public:
  static constexpr double unknown_penalty = 10;  // Below the least score.

  struct Entry {
    std::string_view piece;
    double score = 0;
  };

  // Of equal pieces the last counts; they are copied. `unknown` is an index of the entries.
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

  struct Slot {
    uint32_t tag = 0;    // The upper half of the hash.
    uint32_t entry = 0;  // And one; 0: free.
  };
  // The slot of the piece, or the free one where it would be.
  size_t slot_of(std::string_view piece, uint64_t hash) const;

  std::vector<char> memory_;  // Of all pieces.
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // Open addressing, half of them free.
  std::optional<uint32_t> unknown_;
  ByteFallback fallback_;
  double unknown_score_ = 0;
  size_t piece_bytes_max_ = 0;
};

}  // namespace holdfast::token
