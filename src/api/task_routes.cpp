#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

#include "api/embed_inputs.h"
#include "api/embedding_answer.h"
#include "api/error_answer.h"
#include "api/input_check.h"
#include "api/openai_routes.h"
#include "api/served_model.h"
#include "api/served_task.h"
#include "api/task_body.h"
#include "api/tgi_routes.h"
#include "api/vector_rows.h"
#include "codec/float_text.h"
#include "codec/json.h"
#include "serve/task_text.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = 16 << 20;
constexpr uint64_t file_bytes_max = serve::task_file_bytes_max;  // Of bodies that may be an image or a sound.
constexpr size_t instances_max = 128, predictions_bytes_max = 64 << 20;

void normalize(std::vector<float>& vector) {
  double square = 0;
  for (float x : vector) square += static_cast<double>(x) * x;
  const auto length = static_cast<float>(std::max(std::sqrt(square), 1e-12));
  for (float& x : vector) x /= length;
}

// Parameters stand at the top, as InferenceClient sends them, or in "parameters".
Result<bool> flag(const json::object& body, std::string_view name, bool fallback) {
  TRY(const std::optional<bool> top, codec::json_flag_if(body, name));
  if (top) return *top;
  TRY(const json::object* parameters, codec::json_object_if(body, "parameters"));
  if (parameters == nullptr) return fallback;
  TRY(const std::optional<bool> inner, codec::json_flag_if(*parameters, name));
  return inner.value_or(fallback);
}

// Which task a call without one is for: what its inputs and parameters are of, else what the model is for.
std::string task_of(const json::value& inputs, const json::object& parameters, std::string_view model_task) {
  if (parameters.contains("candidate_labels")) return "zero-shot-classification";
  if (inputs.is_object() && inputs.get_object().contains("query")) return "rerank";
  return std::string(model_task);
}

// {sequence, labels, scores} as the API has it by now: [{label, score}]; of several texts a list of those.
json::value as_label_lists(const json::value& answer) {
  json::array out;
  if (answer.is_array()) {
    for (const json::value& one : answer.get_array()) out.push_back(as_label_lists(one));
    return out;
  }
  const json::array& labels = answer.at("labels").get_array();
  const json::array& scores = answer.at("scores").get_array();
  for (size_t i = 0; i < labels.size(); ++i)
    out.push_back(json::object{{"label", labels[i]}, {"score", scores[i]}});
  return out;
}

Status expect_no_file(const TaskBody& asked) {
  if (asked.file.empty()) return Done{};
  return fail(Reason::unsupported_media, "the model reads texts: send {\"inputs\": \"...\"} as JSON");
}

// The Inference API's answer to a task with a head of its own. Text classification answers all labels, in a
// list of its own for each text, as its clients expect.
Result<net::Response> run_task(serve::Models& models, const Call& call, const serve::ServedModel& model,
                               const TaskBody& asked, std::string_view model_task) {
  const json::object& body = asked.json;
  json::object parameters;
  TRY(const json::object* given, codec::json_object_if(body, "parameters"));
  if (given != nullptr) parameters = *given;
  const json::value& inputs = body.at("inputs");
  if (is_on_file(model_task)) {
    TRY(const json::value out,
        ask_task(models, call, model, model_task, inputs, std::move(parameters), asked.file));
    return json_answer(out);
  }
  TRY_DONE(expect_no_file(asked));
  const std::string task = task_of(inputs, parameters, model_task);
  if (task == "text-classification" && !parameters.contains("top_k")) parameters["top_k"] = nullptr;
  TRY(json::value out, ask_task(models, call, model, task, inputs, std::move(parameters)));
  if (task == "zero-shot-classification") return json_answer(as_label_lists(out));
  if (task != "text-classification" || inputs.is_array()) return json_answer(out);
  json::array nested;
  nested.push_back(std::move(out));
  return json_answer(nested);
}

double cosine(std::span<const float> left, std::span<const float> right) {
  double dot = 0, a = 0, b = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    dot += static_cast<double>(left[i]) * right[i];
    a += static_cast<double>(left[i]) * left[i];
    b += static_cast<double>(right[i]) * right[i];
  }
  return dot / std::max(std::sqrt(a * b), 1e-12);
}

// {"inputs": {"source_sentence": text, "sentences": [text]}}: one score a sentence.
Result<net::Response> compare(serve::Models& models, const Call& call, const serve::ServedModel& model,
                              const json::object& body) {
  TRY(const json::object* inputs, codec::json_object(body, "inputs"));
  TRY(const std::string_view source, codec::json_text(*inputs, "source_sentence"));
  TRY(const json::array* sentences, codec::json_array(*inputs, "sentences"));
  TRY(serve::EmbedItem item, read_embed_inputs(json::value(*sentences)));
  if (!item.ids.empty()) return fail(Reason::bad_request, "'sentences' is a list of texts");
  item.texts.emplace(item.texts.begin(), source);
  TRY(const serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item), asker_of(call)));
  json::array scores;
  for (size_t i = 1; i < answer.vectors.size(); ++i)
    scores.emplace_back(cosine(answer.vectors[0], answer.vectors[i]));
  return json_answer(scores);
}

// A sentence model answers one vector a text; a bare one the hidden states of each token; any other its own
// task.
Result<net::Response> extract(Services& services, serve::Models& models, const Call& call) {
  TRY(const serve::ServedModel model, find_written_model(services, call));
  TRY(const TaskBody asked, read_task_body(call.request));
  const json::object& body = asked.json;
  const serve::Asker asker = asker_of(call);
  const json::value* input = body.if_contains("inputs");
  if (input == nullptr) return fail(Reason::bad_request, "'inputs' is missing");
  std::optional<serve::WorkerFacts> known;
  if (!call.request.path().ends_with("/feature-extraction")) {
    TRY(known, models.facts(call.context, model, asker));
    if (known->task == "text-generation" && asked.file.empty())
      return answer_text_generation(services, models, call, model, body);
    if (!known->task.empty() && known->task != "feature-extraction")
      return run_task(models, call, model, asked, known->task);
  }
  TRY_DONE(expect_no_file(asked));
  if (input->is_object() && input->get_object().contains("source_sentence"))
    return compare(models, call, model, body);
  TRY(serve::EmbedItem item, read_embed_inputs(*input));
  TRY(const bool normalized, flag(body, "normalize", false));
  TRY(const bool truncated, flag(body, "truncate", true));
  if (!truncated) item.long_text = serve::LongText::refuse;
  TRY(const auto side, codec::json_text_if(body, "truncation_direction"));
  if (truncated && side && (*side == "left" || *side == "Left")) item.long_text = serve::LongText::cut_left;
  if (!known) {
    TRY(known, models.facts(call.context, model, asker));
  }
  const serve::WorkerFacts& facts = *known;
  item.wanted = facts.sentence_model ? serve::Wanted::vectors : serve::Wanted::features;
  const bool one = facts.sentence_model && input->is_string();
  return answer_embedding(models, call, model, std::move(item), asker,
                          [=, sentences = facts.sentence_model,
                           width = facts.dimensions](serve::EmbedAnswer answer) -> Result<net::Response> {
                            std::string rows;
                            if (!one) rows += '[';
                            for (std::vector<float>& vector : answer.vectors) {
                              if (rows.size() > 1) rows += ',';
                              if (sentences && normalized) normalize(vector);
                              if (sentences)
                                codec::append_floats(rows, vector);
                              else
                                append_rows(rows, vector, width);
                            }
                            if (!one) rows += ']';
                            return json_text_answer(std::move(rows));
                          });
}

// The same of a body that was made from the request's; its answer comes whole.
Result<net::Response> extract_object(Services& services, serve::Models& models, const Call& call,
                                     json::object asked) {
  asked.erase("stream");
  net::Request request = call.request;
  request.body = codec::to_text(asked);
  const Call one{.request = request,
                 .context = call.context,
                 .caller = call.caller,
                 .type = call.type,
                 .found = call.found,
                 .base_url = call.base_url,
                 .served = call.served};
  return extract(services, models, one);
}

// Vertex AI's form: each instance is a task's body, or its input alone, answered one after the other.
Result<net::Response> predict_instances(Services& services, serve::Models& models, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::array* instances, codec::json_array(body, "instances"));
  TRY(const json::object* parameters, codec::json_object_if(body, "parameters"));
  if (instances->empty() || instances->size() > instances_max)
    return fail(Reason::bad_request, fmt::format("'instances' are 1 to {}", instances_max));
  json::array predictions;
  for (const json::value& instance : *instances) {
    const bool whole = instance.is_object() && instance.get_object().contains("inputs");
    json::object asked = whole ? instance.get_object() : json::object{{"inputs", instance}};
    if (parameters != nullptr && !asked.contains("parameters")) asked["parameters"] = *parameters;
    TRY(const net::Response answer, extract_object(services, models, call, std::move(asked)));
    const auto* text = std::get_if<std::string>(&answer.body);
    if (text == nullptr) return fail(Code::internal, "a task's answer is no text");
    TRY(json::value prediction, codec::parse_json(*text, {.bytes_max = predictions_bytes_max}));
    predictions.push_back(std::move(prediction));
  }
  return json_answer(json::object{{"predictions", std::move(predictions)}});
}

// TorchServe's form: the body is whatever the handler takes. A task's object is one; any other JSON, and a
// text as it is, is the input alone.
Result<net::Response> predict_raw(Services& services, serve::Models& models, const Call& call) {
  const std::string_view type = call.request.headers.get("Content-Type");
  json::object asked;
  auto body = codec::parse_json(call.request.body, {.bytes_max = body_bytes_max});
  if (body.ok() && body.value().is_object() && body.value().get_object().contains("inputs")) {
    asked = std::move(body.value().get_object());
  } else if (body.ok() && !type.starts_with("text/")) {
    asked["inputs"] = std::move(body).value();
  } else {
    if (type.starts_with("application/json")) return body.error();
    TRY_DONE(check_text_characters(call.request.body));
    asked["inputs"] = call.request.body;
  }
  return extract_object(services, models, call, std::move(asked));
}

// The task that the address names.
Result<net::Response> named_task(Services& services, serve::Models& models, const Call& call,
                                 std::string_view task) {
  TRY(const serve::ServedModel model, find_written_model(services, call));
  TRY(const TaskBody asked, read_task_body(call.request));
  if (!asked.json.contains("inputs")) return fail(Reason::bad_request, "'inputs' is missing");
  if (task == "text-generation") {
    TRY_DONE(expect_no_file(asked));
    return answer_text_generation(services, models, call, model, asked.json);
  }
  if (task == "sentiment-analysis") task = "text-classification";
  return run_task(models, call, model, asked, task);
}

}  // namespace

void add_task_routes(RouteTable& table, Services& services, serve::Models& models) {
  struct Place {
    const char* pattern;
    const char* name;
  };
  static constexpr Place places[] = {
      {"/models/{ns}/{name}", "task_model"},
      {"/models/{ns}/{name}/", "task_model_root"},  // As clients write it that join a base and "/".
      {"/models/{ns}/{name}/invocations", "task_invocations"},
      {"/models/{ns}/{name}/pipeline/feature-extraction", "task_feature_extraction"},
      {"/hf-inference/models/{ns}/{name}", "task_inference_model"},
      {"/hf-inference/models/{ns}/{name}/pipeline/feature-extraction", "task_inference_feature_extraction"}};
  for (const auto& [pattern, name] : places)
    table.add(
        {"POST", pattern, name, Access::signed_in, file_bytes_max,
         CallHandler([&services, &models](const Call& call) { return extract(services, models, call); })});
  table.add({"POST", "/models/{ns}/{name}/vertex", "task_vertex", Access::signed_in, body_bytes_max,
             CallHandler([&services, &models](const Call& call) {
               return predict_instances(services, models, call);
             })});
  table.add(
      {"POST", "/predictions/{ns}/{name}", "task_predictions", Access::signed_in, body_bytes_max,
       CallHandler([&services, &models](const Call& call) { return predict_raw(services, models, call); })});
  // Tasks under their own names, and those that clients call otherwise.
  static constexpr const char* tasks[][2] = {{"text-generation", "text_generation"},
                                             {"text-classification", "text_classification"},
                                             {"sentiment-analysis", "sentiment_analysis"},
                                             {"token-classification", "token_classification"},
                                             {"ner", "ner"},
                                             {"fill-mask", "fill_mask"},
                                             {"question-answering", "question_answering"},
                                             {"zero-shot-classification", "zero_shot_classification"},
                                             {"text-ranking", "text_ranking"},
                                             {"summarization", "summarization"},
                                             {"translation", "translation"},
                                             {"text2text-generation", "text2text_generation"},
                                             {"image-classification", "image_classification"},
                                             {"zero-shot-image-classification", "zero_shot_image"},
                                             {"object-detection", "object_detection"},
                                             {"image-feature-extraction", "image_feature_extraction"},
                                             {"image-to-text", "image_to_text"},
                                             {"audio-classification", "audio_classification"},
                                             {"automatic-speech-recognition", "speech_recognition"},
                                             {"rerank", "rerank"}};
  for (const auto& [task, name] : tasks)
    for (const bool inference : {false, true})
      table.add({"POST",
                 fmt::format("{}/models/{{ns}}/{{name}}/pipeline/{}", inference ? "/hf-inference" : "", task),
                 fmt::format("task_{}{}", inference ? "inference_" : "", name), Access::signed_in,
                 is_on_file(task) ? file_bytes_max : body_bytes_max,
                 CallHandler([&services, &models, asked = std::string_view(task)](const Call& call) {
                   return named_task(services, models, call, asked);
                 })});
  // Tasks that no model here does are told so, not as an address that is nowhere.
  static constexpr Place others[] = {
      {"/models/{ns}/{name}/pipeline/{task}", "task_other"},
      {"/hf-inference/models/{ns}/{name}/pipeline/{task}", "task_inference_other"}};
  for (const auto& [pattern, name] : others)
    table.add({"POST", pattern, name, Access::signed_in, body_bytes_max,
               CallHandler([&services, &models](const Call& call) -> Result<net::Response> {
                 return named_task(services, models, call, call.capture("task"));
               })});
  static constexpr Place similarity[] = {
      {"/models/{ns}/{name}/pipeline/sentence-similarity", "task_sentence_similarity"},
      {"/hf-inference/models/{ns}/{name}/pipeline/sentence-similarity",
       "task_inference_sentence_similarity"}};
  for (const auto& [pattern, name] : similarity)
    table.add({"POST", pattern, name, Access::signed_in, body_bytes_max,
               CallHandler([&services, &models](const Call& call) -> Result<net::Response> {
                 TRY(const serve::ServedModel model, find_served_model(services, call, model_in_path(call)));
                 TRY(const json::object body, codec::parse_json_object(call.request.body));
                 return compare(models, call, model, body);
               })});
}

}  // namespace holdfast::api
