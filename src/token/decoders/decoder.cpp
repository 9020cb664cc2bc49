#include "token/decoders/decoder.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {

Result<std::unique_ptr<Decoder>> load_decoder(const boost::json::object& json) {
  TRY(const std::string_view type, codec::json_text(json, "type"));
  if (type == "WordPiece") return load_word_piece_decoder(json);
  return fail(Reason::model_unsupported,
              "the tokenizer's decoder '" + std::string(type.substr(0, 60)) + "' is not supported");
}

}  // namespace holdfast::token
