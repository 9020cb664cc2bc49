#pragma once

#include <boost/json/fwd.hpp>
#include <memory>

#include "base/result.h"
#include "token/piece.h"

namespace holdfast::token {

// Splits pieces into smaller ones, at most words. Immutable; safe from any thread.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // tokenization_failed where a regular expression needs too many steps.
  virtual Status split(Pieces& pieces) const = 0;
  // The same for one that is asked about the input as well, from which the pieces came.
  virtual Status split_text(Pieces& pieces, std::string_view input) const {
    (void)input;
    return split(pieces);
  }
};

// From the `pre_tokenizer` object of a tokenizer.json. Unknown kinds are model_unsupported.
Result<std::unique_ptr<PreTokenizer>> load_pre_tokenizer(const boost::json::object& json);

// One function a kind; `json` is its object.
Result<std::unique_ptr<PreTokenizer>> load_byte_level(const boost::json::object& json);
Result<std::unique_ptr<PreTokenizer>> load_metaspace(const boost::json::object& json);
Result<std::unique_ptr<PreTokenizer>> load_split(const boost::json::object& json);
Result<std::unique_ptr<PreTokenizer>> load_punctuation(const boost::json::object& json);
Result<std::unique_ptr<PreTokenizer>> load_digits(const boost::json::object& json);
Result<std::unique_ptr<PreTokenizer>> load_delimiter(const boost::json::object& json);
Result<std::unique_ptr<PreTokenizer>> load_fixed_length(const boost::json::object& json);
std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer();
std::unique_ptr<PreTokenizer> make_whitespace();
std::unique_ptr<PreTokenizer> make_whitespace_split();
std::unique_ptr<PreTokenizer> make_unicode_scripts();

// "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous".
Result<SplitBehavior> load_behavior(const boost::json::object& json);

}  // namespace holdfast::token
