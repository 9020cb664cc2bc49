#include "token/pre_tokenizers/pre_tokenizer.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {

Result<std::unique_ptr<PreTokenizer>> load_pre_tokenizer(const boost::json::object& json) {
  TRY(const std::string_view type, codec::json_text(json, "type"));
  if (type == "BertPreTokenizer") return make_bert_pre_tokenizer();
  return fail(Reason::model_unsupported,
              "the tokenizer's pre-tokenizer '" + std::string(type.substr(0, 60)) + "' is not supported");
}

}  // namespace holdfast::token
