#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/disk.h"
#include "token/added_tokens.h"

namespace holdfast::token {

// A chat template of a repository; "default" where it has no name of its own.
struct ChatTemplate {
  std::string name, text;
};

// What a repository says of its tokenizer beside tokenizer.json: tokenizer_config.json,
// special_tokens_map.json, added_tokens.json, chat_template.jinja, additional_chat_templates/*.jinja,
// chat_template.json, and the model_type of config.json. A value.
struct TokenizerConfig {
  std::string tokenizer_class;  // "LlamaTokenizer": without "Fast". Empty: not said.
  std::string model_type;       // Of config.json.

  // "bos_token", … in the order of transformers' SPECIAL_TOKENS_ATTRIBUTES; the ids are not set.
  std::vector<std::pair<std::string, AddedToken>> specials;
  std::vector<AddedToken> additional_specials;              // Ids not set.
  std::vector<AddedToken> added;                            // added_tokens_decoder by rising id.
  std::vector<std::pair<std::string, uint32_t>> added_ids;  // Of the older added_tokens.json, by rising id.

  std::optional<bool> add_bos_token, add_eos_token, add_prefix_space, legacy, do_lower_case, strip_accents,
      tokenize_chinese_chars, keep_accents, split_by_punct;
  std::optional<int64_t> extra_ids, offset;  // Of T5 and Pegasus.
  std::optional<uint64_t> model_max_length;  // Tokens; nothing where the file says "as many as you like".
  std::optional<std::string> padding_side, truncation_side;
  std::optional<std::vector<std::string>> model_input_names;  // "input_ids", "token_type_ids", …
  std::vector<ChatTemplate> chat_templates;

  // The special token of a role; null where there is none.
  const AddedToken* special(std::string_view role) const;
  // The named chat template; null where there is none.
  const std::string* chat_template(std::string_view name = "default") const;
  // Whether the model is given the type ids of a pair, as transformers 5 decides it: by model_input_names,
  // else by the tokenizer's class, else by the class that the model's type has. Where it is not, all types
  // are 0.
  bool gives_type_ids() const;
};

// From the files of a folder; all of them may be missing. bad_request names the file and key.
Result<TokenizerConfig> read_tokenizer_config(io::Disk& disk, const io::Path& folder);
// From the text of a tokenizer_config.json alone.
Result<TokenizerConfig> parse_tokenizer_config(const boost::json::object& json);

}  // namespace holdfast::token
