#include "model/signal_pipeline.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/check.h"
#include "codec/json.h"
#include "model/families/seq2seqs.h"
#include "model/families/signals.h"
#include "model/folder_json.h"
#include "model/tasks/signal_tasks.h"
#include "token/formats/folder.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

// What a model writes that reads images or sounds: a text of what it heard, or of what it saw.
enum class Writes : uint8_t { nothing, speech, captions };
Writes writes(const SignalParts& parts) {
  const Seq2SeqModel* model = parts.model->seq2seq();
  if (model == nullptr || model->signals() == nullptr) return Writes::nothing;
  return model->signals()->input() == "pixel_values" ? Writes::captions : Writes::speech;
}

Result<json::value> recognize_speech(const SignalCall& call) {
  return writes(call.parts) == Writes::speech ? write_speech(call) : recognize_letters(call);
}

Result<json::value> describe_image(const SignalCall& call) {
  if (writes(call.parts) != Writes::captions)
    return fail(Reason::model_unsupported, "the model is not for image-to-text");
  return write_caption(call);
}

struct NamedTask {
  std::string_view name;
  Result<json::value> (*run)(const SignalCall& call);
};
constexpr NamedTask tasks[] = {
    {"image-classification", classify_image}, {"zero-shot-image-classification", classify_image_zero_shot},
    {"object-detection", detect_objects},     {"image-feature-extraction", extract_image_features},
    {"audio-classification", classify_sound}, {"automatic-speech-recognition", recognize_speech},
    {"image-to-text", describe_image},
};

// What makes tensors of files: preprocessor_config.json, or since transformers 5 a part of
// processor_config.json.
Status read_processors(io::Disk& disk, const io::Path& folder, SignalParts& parts) {
  std::vector<json::object> configs;
  TRY(std::optional<json::object> own, read_json_file(disk, folder / "preprocessor_config.json"));
  if (own) configs.push_back(std::move(*own));
  TRY(const std::optional<json::object> joined, read_json_file(disk, folder / "processor_config.json"));
  if (joined)
    for (const std::string_view key : {"image_processor", "feature_extractor"})
      if (const json::value* part = joined->if_contains(key); part != nullptr && part->is_object())
        configs.push_back(part->get_object());
  for (const json::object& config : configs) {
    const bool sounds = config.contains("sampling_rate") || config.contains("feature_size");
    if (sounds && !parts.sounds) {
      TRY(parts.sounds, media::SoundProcessor::parse(config, parts.family));
    } else if (!sounds && !parts.images) {
      TRY(parts.images, media::ImageProcessor::parse(config, parts.family));
    }
  }
  return Done{};
}

Status read_words(io::Disk& disk, const io::Path& folder, SignalParts& parts) {
  using Task = SignalPurpose::Task;
  const SignalModel* model = parts.model->signal();
  if (model != nullptr && model->purpose().task == Task::speech_recognition) {
    auto letters = CtcLetters::open(disk, folder);
    if (!letters.ok() && letters.error().code != Code::not_found) return letters.error();
    if (letters.ok()) parts.letters = std::move(letters).value();
    return Done{};
  }
  if (model != nullptr && model->purpose().task != Task::zero_shot_image_classification) return Done{};
  if (writes(parts) == Writes::speech) {
    TRY(const std::optional<json::object> generation,
        read_json_file(disk, folder / "generation_config.json"));
    TRY(const json::object config, read_config(disk, folder));
    TRY(parts.speech, read_speech_tokens(generation.value_or(json::object()), config));
  }
  TRY(token::LoadedTokenizer found, token::load_from_folder(disk, folder));
  parts.tokenizer = std::make_unique<const token::Tokenizer>(std::move(found.tokenizer));
  TRY(const std::optional<json::object> own, read_json_file(disk, folder / "tokenizer_config.json"));
  const auto pad = own ? token_text(*own, "pad_token") : std::nullopt;
  if (pad) parts.pad_id = parts.tokenizer->id_of(*pad).value_or(0);
  return Done{};
}

Result<size_t> samples_a_frame(const json::object& config) {
  TRY(const json::array* strides, codec::json_array_if(config, "conv_stride"));
  size_t out = 1;
  if (strides != nullptr)
    for (const json::value& stride : *strides) {
      if (!stride.is_int64() || stride.get_int64() < 1 || stride.get_int64() > 1024 || out > (1 << 20))
        return fail(Reason::bad_request, "config.json: conv_stride cannot be");
      out *= static_cast<size_t>(stride.get_int64());
    }
  return out;
}

}  // namespace

std::span<const std::string_view> signal_tasks() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out;
    for (const NamedTask& task : tasks) out.push_back(task.name);
    return out;
  }();
  return names;
}

Result<bool> reads_signals(io::Disk& disk, const io::Path& folder) {
  const auto config = read_config(disk, folder);
  if (!config.ok() && config.error().code == Code::not_found) return false;  // A graph, or a GGUF file.
  if (!config.ok()) return config.error();
  const json::value* type = config.value().if_contains("model_type");
  if (type == nullptr || !type->is_string()) return false;
  if (is_seq2seq(config.value())) {
    TRY(const Seq2SeqPlan plan, plan_seq2seq(config.value()));
    return static_cast<bool>(plan.signals);
  }
  return find_signal_family(type->get_string()) != nullptr;
}

Result<SignalPipeline> SignalPipeline::open(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  SignalParts parts;
  TRY(const json::object config, read_config(disk, folder));
  TRY(const std::string_view family, codec::json_text(config, "model_type"));
  parts.family = family;
  TRY(const auto problem, codec::json_text_if(config, "problem_type"));
  parts.problem_type = problem.value_or("");
  TRY(parts.samples_a_frame, samples_a_frame(config));
  TRY(AnyModel model, AnyModel::open(disk, folder, compute));
  parts.model = std::make_unique<const AnyModel>(std::move(model));
  TRY_DONE(read_processors(disk, folder, parts));
  TRY_DONE(read_words(disk, folder, parts));
  return SignalPipeline(std::move(parts));
}

std::string_view SignalPipeline::task() const {
  using Task = SignalPurpose::Task;
  if (writes(parts_) == Writes::speech) return "automatic-speech-recognition";
  if (writes(parts_) == Writes::captions) return "image-to-text";
  const SignalModel* model = parts_.model->signal();
  CHECK(model != nullptr);
  switch (model->purpose().task) {
    case Task::image_classification:
      return "image-classification";
    case Task::zero_shot_image_classification:
      return "zero-shot-image-classification";
    case Task::object_detection:
      return "object-detection";
    case Task::audio_classification:
      return "audio-classification";
    case Task::speech_recognition:
      return "automatic-speech-recognition";
    case Task::features:
      break;
  }
  return "image-feature-extraction";
}

Result<json::value> SignalPipeline::run(std::string_view task, const json::value& inputs,
                                        const json::object& parameters, ByteView file,
                                        tensor::Threads& threads, StageTimes* times) const {
  for (const NamedTask& one : tasks)
    if (one.name == task)
      return one.run({.parts = parts_,
                      .inputs = inputs,
                      .parameters = parameters,
                      .given = file,
                      .threads = threads,
                      .times = times});
  return fail(Reason::model_unsupported,
              fmt::format("the model is for {}, not for {}", this->task(), task.substr(0, 60)));
}

}  // namespace holdfast::model
