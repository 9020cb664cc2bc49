#pragma once

#include <deque>
#include <string>
#include <vector>

#include "codec/gguf_write.h"
#include "token/formats/folder.h"

namespace holdfast::model {

// A repository's tokenizer and chat template as the metadata of a GGUF file: byte-level BPE whose cuts have a
// name there, and BPE over spaces marked "▁" as SentencePiece has it. Owns what its entries borrow.
class GgufVocabulary {
 public:
  // `count` is the rows of the table of words: ids without a token get a blank. model_unsupported for
  // tokenizers that a GGUF file cannot say.
  static Result<GgufVocabulary> make(const token::FolderDocument& tokenizer, size_t count);

  const std::vector<codec::GgufEntry>& entries() const { return entries_; }

 private:
  GgufVocabulary() = default;
  Status add_tokens(const boost::json::object& document, bool pieces, size_t count);
  Status add_merges(const boost::json::object& model);
  void add_scores();
  Status add_specials(const token::FolderDocument& tokenizer);
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  void add_numbers(std::string key, codec::GgufValueType type, ByteView bytes, size_t count);

  std::deque<std::string> texts_;
  std::deque<Bytes> numbers_;
  std::vector<std::string> tokens_;
  std::vector<std::pair<std::string, std::string>> merges_;
  std::vector<codec::GgufEntry> entries_;
};

}  // namespace holdfast::model
