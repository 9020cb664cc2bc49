#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "token/models/vocabulary.h"

namespace holdfast::token {

// What is large in a tokenizer.json, read straight from its text without a tree of JSON values.
struct ModelTables {
  struct MergePair {
    std::string_view left, right;
  };

  std::optional<Vocabulary> vocabulary;          // model.vocab, where that is an object.
  std::optional<std::vector<MergePair>> merges;  // model.merges; of the text or of `memory`.
  // model.vocab, where that is a list of pieces and their scores, as Unigram reads them; of the same.
  std::optional<std::vector<std::pair<std::string_view, double>>> pieces;
  std::vector<char> memory;  // What had escapes.
};

// A tokenizer.json in two parts: the document with these tables empty, and the tables. Nothing where the text
// has anything unusual, or wrong, in or around them: it is then for the JSON parser, which is the judge of
// what it means. What is left of the document is not looked at. Borrows `text`.
struct SplitDocument {
  std::string rest;
  ModelTables tables;
};
std::optional<SplitDocument> split_document(std::string_view text);

// The vocabulary of the tables, which lose it, or else of the `model` object.
Result<Vocabulary> take_vocabulary(const boost::json::object& model, ModelTables* tables);

}  // namespace holdfast::token
