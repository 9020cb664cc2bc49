#pragma once

#include <string>

#include "token/models/model.h"
#include "token/models/vocabulary.h"

namespace holdfast::token {

struct WordPieceOptions {
  std::string unknown = "[UNK]", prefix = "##";
  size_t code_points_max = 100;
};

// The longest token that the rest of the word starts with, again and again; a word with a rest that starts
// with none is unknown as a whole.
class WordPiece final : public Model {
 public:
  WordPiece(Vocabulary vocabulary, WordPieceOptions options);

  Result<std::vector<Token>> tokenize(std::string_view word) const override;
  std::optional<uint32_t> id_of(std::string_view token) const override { return vocabulary_.id_of(token); }
  std::optional<std::string_view> token_of(uint32_t id) const override { return vocabulary_.token_of(id); }
  size_t vocabulary_size() const override { return vocabulary_.size(); }

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const WordPieceOptions& options() const { return options_; }

 private:
  std::optional<Token> longest(std::string_view word, size_t begin, size_t end) const;
  Result<std::vector<Token>> unknown(std::string_view word) const;

  Vocabulary vocabulary_;
  WordPieceOptions options_;
  TextMap<uint32_t> inner_;  // Tokens that continue a word, without the prefix.
  size_t token_bytes_max_ = 0;
};

}  // namespace holdfast::token
