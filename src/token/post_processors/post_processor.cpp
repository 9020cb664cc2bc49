#include "token/post_processors/post_processor.h"

#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {

Result<std::unique_ptr<PostProcessor>> load_post_processor(const boost::json::object& json) {
  TRY(const std::string_view type, codec::json_text(json, "type"));
  if (type == "BertProcessing") return load_bert_processing(json);
  if (type == "TemplateProcessing") return load_template_processing(json);
  return fail(Reason::model_unsupported,
              "the tokenizer's post-processor '" + std::string(type.substr(0, 60)) + "' is not supported");
}

}  // namespace holdfast::token
