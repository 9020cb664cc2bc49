#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "token/added_tokens.h"
#include "token/formats/tokenizer_config.h"
#include "token/models/model_tables.h"

namespace holdfast::token {

// Puts the document of a tokenizer.json together: what every other format is turned into. Used by one thread.
class DocumentBuilder {
 public:
  // `model` is the model's object; its vocabulary is an object of ids, or (Unigram) an array of pairs, or is
  // left out of it and in `apart`, which is borrowed.
  explicit DocumentBuilder(boost::json::object model, const ModelTables* apart = nullptr);
  // Goes on from a document that is there. bad_request where its added tokens are none.
  static Result<DocumentBuilder> over(boost::json::object document, const ModelTables* apart = nullptr);

  DocumentBuilder(DocumentBuilder&&) = default;  // A copy's rows would be views of the other's pieces.
  DocumentBuilder& operator=(DocumentBuilder&&) = default;

  boost::json::value normalizer, pre_tokenizer, post_processor, decoder;  // Null: none.
  boost::json::value truncation, padding;                                 // The same.

  // As add_tokens of the reference library: a token that the model has keeps that id, another one gets the
  // next; one that is there already takes the new flags.
  void add(AddedToken token);
  // What tokenizer_config.json adds, in the order in which transformers does: its added tokens, the special
  // tokens by role, the additional ones. `defaults`: "role:token role:token …" where the file names none; a
  // role with '<' before it takes white space before it along.
  void add_configured(const TokenizerConfig& config, std::string_view defaults);
  bool has_added(std::string_view token) const { return added_rows_.contains(std::string(token)); }
  // The text of a role after add_configured; empty where there is none.
  std::string special(std::string_view role) const;

  std::optional<uint32_t> id_of(std::string_view token) const;

  // Sets the post-processor to a template: "{cls}:0 $A:0 </s>" with roles in braces, parts separated by
  // spaces, no number meaning 0. bad_request where a token is in no vocabulary.
  Status set_template(std::string_view single, std::string_view pair);
  // The template that add_bos_token and add_eos_token ask for. A token that is not there is not added.
  Status set_bos_eos(bool bos, bool eos);

  boost::json::object build() &&;

 private:
  std::optional<uint32_t> row_of(std::string_view token) const;  // In the model's vocabulary.

  boost::json::object model_;
  const ModelTables* apart_;  // Null: all is in model_.
  // Of a Unigram vocabulary, of equal pieces the last; others are objects of ids.
  std::unordered_map<std::string_view, uint32_t> rows_;
  std::vector<AddedToken> added_;
  std::unordered_map<std::string, size_t> added_rows_;
  std::unordered_map<std::string, std::string> roles_;
  uint64_t next_id_ = 0;
};

// {"type": kind, …fields}
boost::json::object part(std::string_view kind, boost::json::object fields = {});
// {"type": "Sequence", key: parts}
boost::json::object sequence(std::string_view key, boost::json::array parts);

}  // namespace holdfast::token
