#include "token/models/model.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {
namespace {

// Files of early versions lack the type: the fields tell, asked in the order of the reference.
std::string_view type_of(const boost::json::object& json) {
  if (json.contains("merges")) return "BPE";
  if (json.contains("max_input_chars_per_word")) return "WordPiece";
  const boost::json::value* vocabulary = json.if_contains("vocab");
  if (vocabulary != nullptr && vocabulary->is_array()) return "Unigram";
  return json.contains("unk_token") ? "WordLevel" : "?";
}

}  // namespace

Result<std::unique_ptr<Model>> load_model(const boost::json::object& json, ModelTables* tables) {
  TRY(const auto given, codec::json_text_if(json, "type"));
  const std::string_view type = given.value_or(type_of(json));
  if (type == "BPE") return load_bpe(json, tables);
  if (type == "CodePoints") return load_code_points();
  if (type == "Unigram") return load_unigram(json, tables);
  if (type == "WordLevel") return load_word_level(json, tables);
  if (type == "WordPiece") return load_word_piece(json, tables);
  return fail(Reason::model_unsupported,
              "the tokenizer's model '" + std::string(type.substr(0, 60)) + "' is not supported");
}

}  // namespace holdfast::token
