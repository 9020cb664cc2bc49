#include "token/normalizers/normalizer.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {

Result<std::unique_ptr<Normalizer>> load_normalizer(const boost::json::object& json) {
  TRY(const std::string_view type, codec::json_text(json, "type"));
  if (type == "BertNormalizer") return load_bert_normalizer(json);
  return fail(Reason::model_unsupported,
              "the tokenizer's normalizer '" + std::string(type.substr(0, 60)) + "' is not supported");
}

}  // namespace holdfast::token
