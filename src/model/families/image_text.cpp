#include <boost/json/object.hpp>
#include <utility>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// The part of a model for images and text that reads and writes text. Its weights lie under a name of their
// own, as they were saved before transformers 5 or since.
void plan_image_text(ConfigReader& config, DecoderPlan& plan) {
  const boost::json::object* text = config.object("text_config");
  if (text == nullptr)
    return config.refuse(fail(Reason::bad_request, "config.json: the text_config is missing"));
  const std::string whole = config.text({"model_type"}, "");
  ConfigReader part(*text);
  const std::string_view usual = whole == "llama4"            ? "llama4_text"
                                 : whole == "qwen3_5"         ? "qwen3_5_text"
                                 : whole == "qwen3_5_moe"     ? "qwen3_5_moe_text"
                                 : whole.starts_with("gemma") ? "gemma3_text"
                                                              : "mistral";
  const std::string type = part.text({"model_type"}, usual);
  const DecoderFamily* family = find_decoder_family(type);
  if (family == nullptr || family->plan == plan_image_text)
    return config.refuse(fail(Reason::model_unsupported, "config.json: this text_config is not supported"));
  family->plan(part, plan);
  if (!part.status().ok()) config.refuse(part.status().error());
  plan.tied = config.flag({"tie_word_embeddings"},
                          !whole.starts_with("qwen"));  // The whole model's word counts, not the part's.
  plan.head_kind = read_decoder_head(config);
  plan.prefixes = {"model.language_model.", "language_model.model.", "language_model."};
}

}  // namespace holdfast::model
