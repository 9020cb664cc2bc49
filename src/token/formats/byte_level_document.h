#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "token/formats/tokenizer_config.h"

namespace holdfast::token {

// The tokenizer.json that vocab.json (an object of ids) and merges.txt mean, as transformers' converters of
// GPT-2, RoBERTa, CLIP, Qwen2, Whisper and their like build it, by tokenizer_class, else by model_type, else
// as GPT-2.
Result<boost::json::object> document_of_vocab_and_merges(std::string_view vocab_json,
                                                         std::string_view merges_txt,
                                                         const TokenizerConfig& config);

// The Unicode character that stands for a byte in byte-level vocabularies, as UTF-8.
std::string byte_level_text(std::string_view bytes);
// Whether every character is one of those.
bool is_byte_level_text(std::string_view text);

}  // namespace holdfast::token
