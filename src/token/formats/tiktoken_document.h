#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "base/result.h"
#include "token/formats/tokenizer_config.h"

namespace holdfast::token {

// The tokenizer.json that tiktoken ranks mean: lines of base64 and rank. The merges are what the ranks imply,
// as transformers' TikTokenConverter derives them. Pattern and special tokens: those of OpenAI's encodings
// where the file's name (cl100k_base.tiktoken) or its count of ranks tells which, of Qwen by its class, else
// of Llama 3.
Result<boost::json::object> document_of_tiktoken(std::string_view text, std::string_view file_name,
                                                 const TokenizerConfig& config);
// Whether the first line is base64, a space and a number.
bool looks_like_tiktoken(std::string_view text);

// The same of Mistral's tekken.json: a pattern, ranked bytes and special tokens before them.
Result<boost::json::object> document_of_tekken(std::string_view json, const TokenizerConfig& config);

}  // namespace holdfast::token
