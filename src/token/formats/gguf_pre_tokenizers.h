#pragma once

#include <string_view>
#include <vector>

namespace holdfast::token {

// How a byte-level vocabulary of a GGUF file cuts text, by the name in tokenizer.ggml.pre.
struct GgufPreTokenizer {
  std::vector<std::string_view> patterns;  // One after the other, matches apart. Empty: as GPT-2.
  bool ignore_merges = false;
};

// Names and patterns of transformers' gguf_tokenizer_mapping.py and llama.cpp's llama-vocab.cpp; unknown
// names are cut as GPT-2.
GgufPreTokenizer gguf_pre_tokenizer(std::string_view name);

}  // namespace holdfast::token
