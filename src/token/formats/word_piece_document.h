#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "base/result.h"
#include "token/formats/tokenizer_config.h"

namespace holdfast::token {

// The tokenizer.json that a vocab.txt (a token a line, ids by line) means, as transformers' converters of the
// BERT family build it; ESM's letters as its tokenizer cuts them.
Result<boost::json::object> document_of_vocab_txt(std::string_view text, const TokenizerConfig& config);

}  // namespace holdfast::token
