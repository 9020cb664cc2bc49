#include "token/post_processors/post_processor.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::token {
namespace {

constexpr size_t depth_max = 16, parts_max = 100;

class PostProcessorSequence final : public PostProcessor {
 public:
  explicit PostProcessorSequence(std::vector<std::unique_ptr<PostProcessor>> parts)
      : parts_(std::move(parts)) {}

  size_t added_tokens(size_t texts) const override {
    size_t count = 0;
    for (const auto& part : parts_) count += part->added_tokens(texts);
    return count;
  }

  Result<std::vector<Encoding>> process(std::vector<Encoding> texts, SpecialTokens special) const override {
    for (const auto& part : parts_) {
      TRY(texts, part->process(std::move(texts), special));
    }
    return texts;
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> parts_;
};

// The fields tell, whatever the type: the reference tries its kinds in this order, and only the last two look
// at it. So Roberta's without its own two fields is Bert's.
std::string_view type_of(const boost::json::object& json) {
  const auto is_flag = [&json](std::string_view key) {
    const boost::json::value* value = json.if_contains(key);
    return value != nullptr && value->is_bool();
  };
  if (json.contains("sep") && json.contains("cls"))
    return is_flag("trim_offsets") && is_flag("add_prefix_space") ? "RobertaProcessing" : "BertProcessing";
  const boost::json::value* given = json.if_contains("type");
  const std::string_view type =
      given != nullptr && given->is_string() ? std::string_view(given->get_string()) : "";
  if (type == "ByteLevel") return type;
  if (json.contains("single") && json.contains("pair")) return "TemplateProcessing";
  if (!type.empty()) return type;
  if (json.contains("trim_offsets")) return "ByteLevel";
  return json.contains("processors") ? "Sequence" : "";
}

Result<std::unique_ptr<PostProcessor>> load(const boost::json::object& json, size_t depth) {
  if (depth > depth_max)
    return fail(Reason::bad_request, "the tokenizer's post-processors are too deep in each other");
  const std::string_view type = type_of(json);
  if (type == "BertProcessing") return load_bert_processing(json);
  if (type == "RobertaProcessing") return load_roberta_processing(json);
  if (type == "TemplateProcessing") return load_template_processing(json);
  if (type == "ByteLevel") return load_byte_level_processing(json);
  if (type != "Sequence")
    return fail(Reason::model_unsupported,
                "the tokenizer's post-processor '" + std::string(type.substr(0, 60)) + "' is not supported");
  TRY(const boost::json::array* all, codec::json_array(json, "processors"));
  if (all->size() > parts_max) return fail(Reason::bad_request, "the tokenizer has too many post-processors");
  std::vector<std::unique_ptr<PostProcessor>> parts;
  for (const boost::json::value& value : *all) {
    if (!value.is_object())
      return fail(Reason::bad_request, "the tokenizer's 'processors' hold something that is none");
    TRY(auto part, load(value.get_object(), depth + 1));
    parts.push_back(std::move(part));
  }
  return std::unique_ptr<PostProcessor>(std::make_unique<PostProcessorSequence>(std::move(parts)));
}

}  // namespace

Result<std::unique_ptr<PostProcessor>> load_post_processor(const boost::json::object& json) {
  return load(json, 0);
}

Result<SpecialToken> load_special_token(const boost::json::object& json, std::string_view key) {
  TRY(const boost::json::array* pair, codec::json_array(json, key));
  if (pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_int64() || (*pair)[1].get_int64() < 0 ||
      (*pair)[1].get_int64() > UINT32_MAX)
    return fail(Reason::bad_request, "the tokenizer's '" + std::string(key) + "' is not a token and its id");
  return SpecialToken{std::string((*pair)[0].get_string()), static_cast<uint32_t>((*pair)[1].get_int64())};
}

}  // namespace holdfast::token
