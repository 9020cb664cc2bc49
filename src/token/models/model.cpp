#include "token/models/model.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {

Result<std::unique_ptr<Model>> load_model(const boost::json::object& json) {
  TRY(const auto type, codec::json_text_if(json, "type"));
  // Files of early versions lack the type; only WordPiece has a limit of characters.
  if (type == "WordPiece" || (!type && json.contains("max_input_chars_per_word")))
    return load_word_piece(json);
  return fail(
      Reason::model_unsupported,
      "the tokenizer's model '" + std::string(type.value_or("?").substr(0, 60)) + "' is not supported");
}

}  // namespace holdfast::token
