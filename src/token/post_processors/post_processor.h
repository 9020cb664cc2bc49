#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <vector>

#include "base/result.h"
#include "token/encoding.h"

namespace holdfast::token {

enum class SpecialTokens : uint8_t { add, leave_out };

// Puts special tokens around one or two encodings and makes one of them. Immutable; safe from any thread.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  virtual size_t added_tokens(size_t texts) const = 0;  // For one text or a pair.
  // The parts in their order, to be appended; `texts` has one or two encodings, in a sequence of
  // post-processors perhaps more. tokenization_failed where the reference raises.
  virtual Result<std::vector<Encoding>> process(std::vector<Encoding> texts, SpecialTokens special) const = 0;
};

// From the `post_processor` object of a tokenizer.json. Unknown kinds are model_unsupported.
Result<std::unique_ptr<PostProcessor>> load_post_processor(const boost::json::object& json);

// One function a kind.
Result<std::unique_ptr<PostProcessor>> load_bert_processing(const boost::json::object& json);
Result<std::unique_ptr<PostProcessor>> load_roberta_processing(const boost::json::object& json);
Result<std::unique_ptr<PostProcessor>> load_byte_level_processing(const boost::json::object& json);
Result<std::unique_ptr<PostProcessor>> load_template_processing(const boost::json::object& json);

struct SpecialToken {
  std::string token;
  uint32_t id = 0;
};
// ["[SEP]", 102]
Result<SpecialToken> load_special_token(const boost::json::object& json, std::string_view key);

enum class PrefixSpace : uint8_t { no, yes };
// Takes the white space that byte-level tokens begin and end with out of their offsets.
void trim_offsets(Encoding& encoding, PrefixSpace prefix);

}  // namespace holdfast::token
