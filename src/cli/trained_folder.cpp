#include "cli/trained_folder.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "codec/yaml.h"
#include "model/encoder_model.h"
#include "tensor/weights.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t small_file_bytes_max = 64 << 20;
constexpr std::array<const char*, 7> tokenizer_files = {"tokenizer.json",
                                                        "tokenizer_config.json",
                                                        "special_tokens_map.json",
                                                        "added_tokens.json",
                                                        "vocab.txt",
                                                        "vocab.json",
                                                        "merges.txt"};

Result<Bytes> weights_of(io::Disk& base, const model::LinearHead& head) {
  TRY(const tensor::Weights weights, tensor::Weights::open(base, "."));
  std::vector<codec::SafetensorsTensor> tensors;
  for (const std::string& name : weights.names()) {
    if (name.ends_with("position_ids") || name.starts_with("cls.") || name.starts_with("classifier."))
      continue;
    const tensor::TensorView* view = weights.find(name);
    tensors.push_back(
        {name.starts_with("bert.") ? name : "bert." + name, view->dtype, view->shape, view->bytes});
  }
  tensors.push_back({"classifier.weight",
                     codec::Dtype::f32,
                     {head.classes, head.width},
                     std::as_bytes(std::span(head.weights))});
  tensors.push_back(
      {"classifier.bias", codec::Dtype::f32, {head.classes}, std::as_bytes(std::span(head.bias))});
  const std::pair<std::string, std::string> metadata[] = {{"format", "pt"}};
  return codec::write_safetensors(tensors, metadata);
}

Result<json::object> config_of(io::Disk& base, const std::vector<std::string>& classes) {
  TRY(json::object config, model::read_config(base, "."));
  TRY(const std::string_view type, codec::json_text(config, "model_type"));
  if (type != "bert")
    return fail(Reason::model_unsupported,
                fmt::format("a head is trained on models of type bert, not {}", type));
  json::object by_number, by_name;
  for (size_t i = 0; i < classes.size(); ++i) {
    by_number[std::to_string(i)] = classes[i];
    by_name[classes[i]] = i;
  }
  config.erase("_name_or_path");
  config["architectures"] = json::array{"BertForSequenceClassification"};
  config["id2label"] = std::move(by_number);
  config["label2id"] = std::move(by_name);
  config["problem_type"] = "single_label_classification";
  return config;
}

json::object source_json(const Source& source) {
  if (source.name.empty()) return {{"repository", nullptr}, {"revision", nullptr}};
  return {{"repository", source.name}, {"revision", source.revision}};
}

json::object record_json(const TrainingRecord& record) {
  const model::TrainedHead& trained = record.trained;
  return {{"base", source_json(record.base)},
          {"data", source_json(record.data)},
          {"columns", json::object{{"text", record.text}, {"label", record.label}}},
          {"classes", json::array(record.classes.begin(), record.classes.end())},
          {"rows", json::object{{"train", record.train_rows}, {"validation", record.validation_rows}}},
          {"method", "multinomial logistic regression on pooler_output of the frozen encoder, by L-BFGS"},
          {"options", json::object{{"penalty", record.options.penalty},
                                   {"rounds_max", record.options.rounds_max},
                                   {"patience", record.options.patience},
                                   {"seed", record.options.seed}}},
          {"results", json::object{{"rounds", trained.rounds},
                                   {"stopped_early", trained.stopped_early},
                                   {"train_loss", trained.train_loss},
                                   {"validation_loss", trained.validation_loss},
                                   {"train_accuracy", trained.train_accuracy},
                                   {"validation_accuracy", trained.validation_accuracy},
                                   {"overfits", record.overfits}}},
          {"vetting", json::object{{"high_findings", record.high_findings}, {"despite", record.despite}}},
          {"environment", json::object{{"program", "holdfast"}, {"features", "f32"}, {"head", "f64"}}}};
}

// The base card's licence, which a fine-tuned model keeps; "other" where it says none.
std::string licence_of(io::Disk& base) {
  const auto card = io::read_text(base, "README.md", small_file_bytes_max);
  if (!card.ok() || !card.value().starts_with("---\n")) return "other";
  const size_t end = card.value().find("\n---", 4);
  if (end == std::string::npos) return "other";
  const auto header = codec::parse_yaml(std::string_view(card.value()).substr(4, end - 4));
  if (!header.ok() || !header.value().is_object()) return "other";
  const auto licence = codec::json_text_if(header.value().get_object(), "license");
  return licence.ok() && licence.value() ? std::string(*licence.value()) : "other";
}

std::string card_of(const TrainingRecord& record, const std::string& licence) {
  const auto named = [](const Source& source) {
    return source.name.empty() ? std::string("a folder")
                               : fmt::format("{} at {}", source.name, source.revision);
  };
  std::string out = fmt::format(
      "---\nlicense: {}\nlanguage: en\nlibrary_name: transformers\npipeline_tag: "
      "text-classification\nmetrics: [accuracy]\n",
      licence);
  if (!record.base.name.empty())
    out += fmt::format("base_model: {}\nbase_model_relation: finetune\n", record.base.name);
  if (!record.data.name.empty()) out += fmt::format("datasets: [{}]\n", record.data.name);
  out += fmt::format(
      "---\n# A classifier of `{}`\n\nA linear head on the frozen encoder's pooled output, trained by "
      "`holdfast train head`.\n\n"
      "| | |\n| --- | --- |\n| base | {} |\n| data | {} |\n| rows | {} to train, {} to validate |\n| classes "
      "| ",
      record.label, named(record.base), named(record.data), record.train_rows, record.validation_rows);
  for (size_t i = 0; i < record.classes.size(); ++i) out += (i > 0 ? ", " : "") + record.classes[i];
  const model::TrainedHead& trained = record.trained;
  out += fmt::format(
      " |\n| accuracy | {:.4f} in training, {:.4f} in validation |\n| loss | {:.4f}, {:.4f} |\n| seed | {} "
      "|\n| stopped | after round {}{} |\n",
      trained.train_accuracy, trained.validation_accuracy, trained.train_loss, trained.validation_loss,
      record.options.seed, trained.rounds, trained.stopped_early ? ", as validation got no better" : "");
  if (record.high_findings > 0)
    out += fmt::format("\n**Trained on rows with {} findings that block:** {}\n", record.high_findings,
                       record.despite);
  if (record.overfits) out += "\n**Overfits:** training is more than 10 points better than validation.\n";
  return out +
         "\n## Uses and limits\n\nIt sorts texts like those it was trained on into these classes and no "
         "others; what drifts from them it gets wrong. "
         "`training.json` has the options and results in full.\n";
}

}  // namespace

Status write_trained_folder(io::Disk& base, io::Disk& out, const TrainingRecord& record) {
  TRY(const json::object config, config_of(base, record.classes));
  TRY(const Bytes weights, weights_of(base, record.trained.head));
  TRY_DONE(io::publish_text(out, "config.json", codec::to_pretty_text(config)));
  TRY_DONE(io::publish_text(out, "model.safetensors", as_text(weights)));
  for (const char* name : tokenizer_files) {
    const auto text = io::read_text(base, name, small_file_bytes_max);
    if (text.ok()) TRY_DONE(io::publish_text(out, name, text.value()));
  }
  TRY_DONE(io::publish_text(out, "training.json", codec::to_pretty_text(record_json(record))));
  return io::publish_text(out, "README.md", card_of(record, licence_of(base)));
}

}  // namespace holdfast::cli
