#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "api/embed_inputs.h"
#include "api/error_answer.h"
#include "api/openai_routes.h"
#include "api/served_model.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = 16 << 20;

json::array numbers(std::span<const float> values) {
  json::array list;
  list.reserve(values.size());
  for (float x : values) list.emplace_back(x);
  return list;
}

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

// The Inference API's answer to a task with a head of its own. Text classification answers all labels, in a
// list of its own for each text, as its clients expect.
Result<net::Response> run_task(serve::Models& models, const Call& call, const serve::ServedModel& model,
                               const json::object& body, std::string_view model_task) {
  json::object parameters;
  TRY(const json::object* given, codec::json_object_if(body, "parameters"));
  if (given != nullptr) parameters = *given;
  const json::value& inputs = body.at("inputs");
  const std::string task = task_of(inputs, parameters, model_task);
  if (task == "text-classification" && !parameters.contains("top_k")) parameters["top_k"] = nullptr;
  serve::EmbedItem item;
  item.wanted = serve::Wanted::task;
  item.texts.push_back(codec::to_text(
      json::object{{"task", task}, {"inputs", inputs}, {"parameters", std::move(parameters)}}));
  TRY(const serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item)));
  TRY(json::value out, codec::parse_json(answer.json));
  if (task != "text-classification" || inputs.is_array()) return json_answer(out);
  json::array nested;
  nested.push_back(std::move(out));
  return json_answer(nested);
}

// A sentence model answers one vector a text; a bare one the hidden states of each token; any other its own
// task.
Result<net::Response> extract(Services& services, serve::Models& models, const Call& call) {
  const std::string name = std::string(call.capture("ns")) + "/" + std::string(call.capture("name"));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  const json::value* input = body.if_contains("inputs");
  if (input == nullptr) return fail(Reason::bad_request, "'inputs' is missing");
  if (!call.request.path().ends_with("/feature-extraction")) {
    TRY(const serve::WorkerFacts known, models.facts(call.context, model));
    if (!known.task.empty() && known.task != "feature-extraction")
      return run_task(models, call, model, body, known.task);
  }
  TRY(serve::EmbedItem item, read_embed_inputs(*input));
  TRY(const bool normalized, flag(body, "normalize", false));
  TRY(const bool truncated, flag(body, "truncate", true));
  if (!truncated) item.long_text = serve::LongText::refuse;
  TRY(const auto side, codec::json_text_if(body, "truncation_direction"));
  if (truncated && side && (*side == "left" || *side == "Left")) item.long_text = serve::LongText::cut_left;
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model));
  item.wanted = facts.sentence_model ? serve::Wanted::vectors : serve::Wanted::features;
  TRY(serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item)));
  json::array rows;
  for (std::vector<float>& vector : answer.vectors) {
    if (facts.sentence_model) {
      if (normalized) normalize(vector);
      rows.emplace_back(numbers(vector));
      continue;
    }
    json::array tokens;
    for (size_t at = 0; at < vector.size(); at += facts.dimensions)
      tokens.emplace_back(numbers(std::span(vector).subspan(at, facts.dimensions)));
    rows.emplace_back(std::move(tokens));
  }
  if (facts.sentence_model && input->is_string()) return json_answer(rows.front());
  return json_answer(rows);
}

// TEI's inputs: a text, a pair of texts, or a list of such, each a list of its own.
Result<json::value> predict_input(const json::value& input) {
  if (input.is_string()) return json::value(input);
  if (!input.is_array() || input.get_array().empty() || input.get_array().size() > 2)
    return fail(Reason::bad_request, "an input is a text, [text] or [text, text]");
  const json::array& texts = input.get_array();
  for (const json::value& text : texts)
    if (!text.is_string()) return fail(Reason::bad_request, "an input is a text, [text] or [text, text]");
  if (texts.size() == 1) return json::value(texts[0]);
  return json::value(json::object{{"text", texts[0]}, {"text_pair", texts[1]}});
}

// TEI's /predict: all classes of one input, best first; a list of such lists for several.
Result<net::Response> predict(Services& services, serve::Models& models, const Call& call) {
  const std::string name = std::string(call.capture("ns")) + "/" + std::string(call.capture("name"));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  const json::value* given = body.if_contains("inputs");
  if (given == nullptr) return fail(Reason::bad_request, "'inputs' is missing");
  const bool several =
      given->is_array() && !given->get_array().empty() && given->get_array().front().is_array();
  json::array inputs;
  if (several) {
    for (const json::value& one : given->get_array()) {
      TRY(json::value input, predict_input(one));
      inputs.push_back(std::move(input));
    }
  } else {
    TRY(json::value input, predict_input(*given));
    inputs.push_back(std::move(input));
  }
  TRY(const std::optional<bool> raw, codec::json_flag_if(body, "raw_scores"));
  json::object parameters{{"top_k", nullptr}};
  if (raw.value_or(false)) parameters["function_to_apply"] = "none";
  serve::EmbedItem item;
  item.wanted = serve::Wanted::task;
  item.texts.push_back(codec::to_text(json::object{{"task", "text-classification"},
                                                   {"inputs", std::move(inputs)},
                                                   {"parameters", std::move(parameters)}}));
  TRY(const serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item)));
  TRY(const json::value out, codec::parse_json(answer.json));
  if (several || !out.is_array() || out.get_array().empty()) return json_answer(out);
  return json_answer(out.get_array().front());
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
Result<net::Response> compare(Services& services, serve::Models& models, const Call& call) {
  const std::string name = std::string(call.capture("ns")) + "/" + std::string(call.capture("name"));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::object* inputs, codec::json_object(body, "inputs"));
  TRY(const std::string_view source, codec::json_text(*inputs, "source_sentence"));
  TRY(const json::array* sentences, codec::json_array(*inputs, "sentences"));
  TRY(serve::EmbedItem item, read_embed_inputs(json::value(*sentences)));
  if (!item.ids.empty()) return fail(Reason::bad_request, "'sentences' is a list of texts");
  item.texts.emplace(item.texts.begin(), source);
  TRY(const serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item)));
  json::array scores;
  for (size_t i = 1; i < answer.vectors.size(); ++i)
    scores.emplace_back(cosine(answer.vectors[0], answer.vectors[i]));
  return json_answer(scores);
}

}  // namespace

void add_task_routes(RouteTable& table, Services& services, serve::Models& models) {
  struct Place {
    const char* pattern;
    const char* name;
  };
  static constexpr Place places[] = {
      {"/models/{ns}/{name}", "task_model"},
      {"/models/{ns}/{name}/pipeline/feature-extraction", "task_feature_extraction"},
      {"/hf-inference/models/{ns}/{name}", "task_inference_model"},
      {"/hf-inference/models/{ns}/{name}/pipeline/feature-extraction", "task_inference_feature_extraction"}};
  for (const auto& [pattern, name] : places)
    table.add(
        {"POST", pattern, name, Access::signed_in, body_bytes_max,
         CallHandler([&services, &models](const Call& call) { return extract(services, models, call); })});
  table.add(
      {"POST", "/models/{ns}/{name}/predict", "task_predict", Access::signed_in, body_bytes_max,
       CallHandler([&services, &models](const Call& call) { return predict(services, models, call); })});
  static constexpr Place similarity[] = {
      {"/models/{ns}/{name}/pipeline/sentence-similarity", "task_sentence_similarity"},
      {"/hf-inference/models/{ns}/{name}/pipeline/sentence-similarity",
       "task_inference_sentence_similarity"}};
  for (const auto& [pattern, name] : similarity)
    table.add(
        {"POST", pattern, name, Access::signed_in, body_bytes_max,
         CallHandler([&services, &models](const Call& call) { return compare(services, models, call); })});
}

}  // namespace holdfast::api
