#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "token/normalizers/normalizer.h"
#include "token/pre_tokenizers/pre_tokenizer.h"

namespace holdfast::token {

struct WordCount {
  std::string word;
  uint64_t count = 0;
};

// Counts the words of a corpus: each text is normalized and pre-tokenized, added tokens are not looked for.
// Words keep the order in which they first came. Used by one thread.
class WordCounter {
 public:
  static constexpr size_t words_max = 64 << 20;

  // With the normalizer and pre-tokenizer of a document; either may be missing.
  static Result<WordCounter> open(const boost::json::object& document);

  // tokenization_failed where the text is not UTF-8; too many words is input_too_long.
  Status add(std::string_view text);
  std::vector<WordCount> take() &&;

 private:
  WordCounter() = default;

  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  std::vector<WordCount> words_;
  std::unordered_map<std::string, size_t> rows_;
};

}  // namespace holdfast::token
