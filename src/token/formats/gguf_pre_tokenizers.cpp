#include "token/formats/gguf_pre_tokenizers.h"

#include <string>

#include "token/formats/split_patterns.h"

namespace holdfast::token {
namespace {

struct Row {
  std::string_view names;  // Each between spaces.
  std::vector<std::string_view> patterns;
  bool ignore_merges = false;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {" llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano ",
       {llama3_pattern},
       true},
      {" dbrx smaug-bpe ", {llama3_pattern}},
      {" tekken ", {tekken_pattern}, true},
      {" qwen2 deepseek-r1-qwen kormo f2llmv2 megrez ", {qwen2_pattern}},
      {" qwen35 ", {qwen35_pattern}},
      {" gpt-4o llama4 kanana2 talkie minimax-m2 ", {o200k_pattern}},
      {" starcoder refact command-r smollm codeshell exaone minerva-7b ", {digit_pattern, gpt2_pattern}},
      {" falcon ", {falcon_punctuation_pattern, gpt2_pattern, three_digits_pattern}},
      {" deepseek-v3 deepseek-r1 hunyuan-dense joyai-llm ",
       {digits_1_to_3_pattern, cjk_pattern, deepseek_v3_pattern}},
  };
  return all;
}

}  // namespace

GgufPreTokenizer gguf_pre_tokenizer(std::string_view name) {
  const std::string key = " " + std::string(name) + " ";
  for (const Row& row : rows())
    if (row.names.find(key) != std::string_view::npos) return {row.patterns, row.ignore_merges};
  return {};
}

}  // namespace holdfast::token
