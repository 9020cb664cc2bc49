#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "token/models/model.h"
#include "token/models/vocabulary.h"

namespace holdfast::token {

struct BpeOptions {
  std::optional<std::string> unknown;  // Characters without a token vanish where there is none.
  std::string prefix;                  // Of tokens that continue a word.
  std::string suffix;                  // Of tokens that end one.
  double dropout = 0;                  // The share of merges left out, at random.
  bool fuse_unknown = false;           // Neighbouring unknown tokens are one.
  bool byte_fallback = false;          // A character without a token is its bytes, as <0xAB>.
  bool ignore_merges = false;          // A whole word of the vocabulary is that token, whatever the merges.
};

struct Merge {
  uint32_t left = 0, right = 0, result = 0;
};

// Byte pair encoding: the characters of a word, then the merge of the lowest rank as long as there is one.
class Bpe final : public Model {
 public:
  // Of merges of an equal pair the last counts. Ids of merges are of the vocabulary.
  Bpe(Vocabulary vocabulary, std::vector<Merge> merges, BpeOptions options);

  Result<std::vector<Token>> tokenize(std::string_view piece) const override;
  std::optional<uint32_t> id_of(std::string_view token) const override { return vocabulary_.id_of(token); }
  std::optional<std::string_view> token_of(uint32_t id) const override { return vocabulary_.token_of(id); }
  size_t vocabulary_size() const override { return vocabulary_.size(); }

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const std::vector<Merge>& merges() const { return merges_; }  // By rank.
  const BpeOptions& options() const { return options_; }

 private:
  struct Symbol {
    uint32_t id = 0;
    uint32_t bytes = 0;  // 0 once it is merged into the one before.
    int32_t previous = -1, next = -1;
  };
  struct Ranked {
    uint32_t rank = 0, result = 0;
  };
  using Word = std::vector<Symbol>;

  Result<Word> symbols_of(std::string_view piece) const;
  bool add_bytes(std::string_view character, Word& word) const;
  void merge(Word& word) const;
  const Ranked* rank_of(uint32_t left, uint32_t right) const;

  Vocabulary vocabulary_;
  std::vector<Merge> merges_;
  mutable std::once_flag once_;
  mutable std::unordered_map<uint64_t, Ranked> ranks_;  // Made when first asked: the fast way has its own.
  BpeOptions options_;
};

}  // namespace holdfast::token
