#include "repo/card.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "codec/json.h"
#include "codec/yaml.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr size_t tags_max = 200, tag_bytes_max = 200;

void add_tag(Card& card, std::string_view tag) {
  if (tag.empty() || tag.size() > tag_bytes_max || card.tags.size() >= tags_max) return;
  if (std::find(card.tags.begin(), card.tags.end(), tag) == card.tags.end()) card.tags.emplace_back(tag);
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

// A card may say `language: en` or a list of them.
std::vector<std::string> texts_of(const json::object& object, std::string_view key) {
  std::vector<std::string> out;
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return out;
  if (value->is_string()) out.emplace_back(value->get_string());
  if (!value->is_array()) return out;
  for (const json::value& each : value->get_array())
    if (each.is_string()) out.emplace_back(each.get_string());
  return out;
}

bool has_path(const CardFacts& facts, std::string_view path) {
  return std::find(facts.paths.begin(), facts.paths.end(), path) != facts.paths.end();
}
bool has_ending(const CardFacts& facts, std::string_view ending) {
  return std::any_of(facts.paths.begin(), facts.paths.end(),
                     [&](const std::string& path) { return path.ends_with(ending); });
}

std::string guess_library(const CardFacts& facts, const json::object& config) {
  if (has_path(facts, "modules.json") || has_path(facts, "config_sentence_transformers.json"))
    return "sentence-transformers";
  if (has_path(facts, "model_index.json")) return "diffusers";
  if (has_path(facts, "adapter_config.json")) return "peft";
  if (config.contains("model_type") || config.contains("architectures")) return "transformers";
  return {};
}

// Where the family says more than the head: what is read are images or sounds.
std::string_view guess_by_family(std::string_view architecture, const json::object& config) {
  struct Family {
    std::string_view type, ending, task;
  };
  static constexpr auto families = std::to_array<Family>({
      {"whisper", "ForConditionalGeneration", "automatic-speech-recognition"},
      {"speech_to_text", "ForConditionalGeneration", "automatic-speech-recognition"},
      {"speech-encoder-decoder", "Model", "automatic-speech-recognition"},
      {"vision-encoder-decoder", "Model", "image-to-text"},
      {"wav2vec2", "ForSequenceClassification", "audio-classification"},
      {"hubert", "ForSequenceClassification", "audio-classification"},
      {"wavlm", "ForSequenceClassification", "audio-classification"},
      {"data2vec-audio", "ForSequenceClassification", "audio-classification"},
      {"clip", "CLIPModel", "zero-shot-image-classification"},
      {"siglip", "SiglipModel", "zero-shot-image-classification"},
      {"vit", "Model", "image-feature-extraction"},
      {"deit", "Model", "image-feature-extraction"},
      {"beit", "Model", "image-feature-extraction"},
      {"swin", "Model", "image-feature-extraction"},
      {"dinov2", "Model", "image-feature-extraction"},
      {"dinov2_with_registers", "Model", "image-feature-extraction"},
      {"resnet", "Model", "image-feature-extraction"},
      {"convnext", "Model", "image-feature-extraction"},
  });
  const json::value* type = config.if_contains("model_type");
  if (type == nullptr || !type->is_string()) return {};
  for (const Family& family : families)
    if (type->get_string() == family.type && architecture.ends_with(family.ending)) return family.task;
  return {};
}

// The head of a transformers architecture names its task.
std::string guess_pipeline(const std::string& library, const json::object& config) {
  struct Head {
    std::string_view ending, task;
  };
  static constexpr auto heads = std::to_array<Head>({
      {"ForSequenceClassification", "text-classification"},
      {"ForTokenClassification", "token-classification"},
      {"ForQuestionAnswering", "question-answering"},
      {"ForMaskedLM", "fill-mask"},
      {"ForCausalLM", "text-generation"},
      {"LMHeadModel", "text-generation"},
      {"ForImageClassification", "image-classification"},
      {"ForObjectDetection", "object-detection"},
      {"ForSemanticSegmentation", "image-segmentation"},
      {"ForSpeechSeq2Seq", "automatic-speech-recognition"},
      {"ForCTC", "automatic-speech-recognition"},
      {"ForConditionalGeneration", "text2text-generation"},
      {"ForAudioClassification", "audio-classification"},
      {"ForMultipleChoice", "multiple-choice"},
  });
  if (library == "sentence-transformers") return "sentence-similarity";
  const std::vector<std::string> architectures = texts_of(config, "architectures");
  if (library != "transformers" || architectures.empty()) return {};
  if (const std::string_view task = guess_by_family(architectures.front(), config); !task.empty())
    return std::string(task);
  for (const Head& head : heads)
    if (architectures.front().ends_with(head.ending)) return std::string(head.task);
  return architectures.front().ends_with("Model") ? "feature-extraction" : std::string();
}

void add_format_tags(Card& card, const CardFacts& facts) {
  struct Format {
    std::string_view ending, tag;
  };
  static constexpr auto formats = std::to_array<Format>({{"pytorch_model.bin", "pytorch"},
                                                         {"tf_model.h5", "tf"},
                                                         {"flax_model.msgpack", "jax"},
                                                         {".onnx", "onnx"},
                                                         {".safetensors", "safetensors"},
                                                         {".gguf", "gguf"},
                                                         {".tflite", "tflite"}});
  for (const Format& format : formats)
    if (has_ending(facts, format.ending)) add_tag(card, format.tag);
}

void add_prefixed_tags(Card& card, const json::object& data, RepoType type) {
  struct Key {
    std::string_view key, prefix;
  };
  static constexpr auto of_models = std::to_array<Key>(
      {{"language", ""}, {"datasets", "dataset:"}, {"base_model", "base_model:"}, {"license", "license:"}});
  static constexpr auto of_datasets = std::to_array<Key>({{"task_categories", "task_categories:"},
                                                          {"task_ids", "task_ids:"},
                                                          {"annotations_creators", "annotations_creators:"},
                                                          {"language_creators", "language_creators:"},
                                                          {"multilinguality", "multilinguality:"},
                                                          {"source_datasets", "source_datasets:"},
                                                          {"language", "language:"},
                                                          {"license", "license:"},
                                                          {"size_categories", "size_categories:"}});
  const auto keys = type == RepoType::dataset ? std::span<const Key>(of_datasets) : of_models;
  for (const Key& key : keys)
    for (const std::string& value : texts_of(data, key.key))
      add_tag(card, fmt::format("{}{}", key.prefix, value));
}

// The keys of config.json that listings show.
json::object shown_config(const json::object& config) {
  json::object out;
  for (const std::string_view key :
       {"architectures", "auto_map", "model_type", "quantization_config", "tokenizer_config"})
    if (const json::value* value = config.if_contains(key)) out[key] = *value;
  return out;
}

json::object parse_front_matter(const std::string& readme) {
  auto data = codec::parse_yaml(front_matter(readme));
  return data.ok() && data.value().is_object() ? data.value().get_object() : json::object();
}

}  // namespace

std::string_view front_matter(std::string_view readme) {
  const size_t start = readme.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (start == std::string_view::npos || !readme.substr(start).starts_with("---")) return {};
  const size_t first = readme.find('\n', start);
  if (first == std::string_view::npos) return {};
  const std::string_view opening = readme.substr(start + 3, first - start - 3);
  if (opening.find_first_not_of(" \t\r") != std::string_view::npos) return {};
  for (size_t line = first + 1; line < readme.size();) {
    size_t end = readme.find('\n', line);
    if (end == std::string_view::npos) end = readme.size();
    std::string_view text = readme.substr(line, end - line);
    while (text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
    if (text == "---") return readme.substr(first + 1, line - first - 1);
    line = end + 1;
  }
  return {};
}

Card read_card(const CardFacts& facts, RepoType type) {
  Card card;
  const json::object data = parse_front_matter(facts.readme);
  auto parsed =
      facts.config.empty() ? Result<json::object>(json::object()) : codec::parse_json_object(facts.config);
  const json::object config = parsed.ok() ? std::move(parsed).value() : json::object();
  if (type == RepoType::model) {
    card.library = text_of(data, "library_name");
    if (card.library.empty()) card.library = guess_library(facts, config);
    card.pipeline = text_of(data, "pipeline_tag");
    if (card.pipeline.empty()) card.pipeline = guess_pipeline(card.library, config);
    add_tag(card, card.library);
    add_format_tags(card, facts);
    add_tag(card, text_of(config, "model_type"));
    add_tag(card, card.pipeline);
    if (const json::object shown = shown_config(config); !shown.empty()) card.config = codec::to_text(shown);
  }
  if (type == RepoType::space) add_tag(card, text_of(data, "sdk"));
  for (const std::string& tag : texts_of(data, "tags")) add_tag(card, tag);
  add_prefixed_tags(card, data, type);
  card.data = codec::to_text(data);
  return card;
}

}  // namespace holdfast::repo
