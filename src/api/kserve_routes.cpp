#include "api/kserve_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <iterator>

#include "api/embed_inputs.h"
#include "api/error_answer.h"
#include "api/input_check.h"
#include "api/kserve_call.h"
#include "api/kserve_repository.h"
#include "api/served_model.h"
#include "api/served_task.h"
#include "api/services.h"
#include "base/clock.h"
#include "codec/json.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 16 << 20;
constexpr std::string_view input_name = "text";
constexpr int64_t timeout_max_us = 3'600'000'000;

// What an address below /v2/models/ names.
struct Place {
  std::string model;    // "ns/name"; empty where the address says it before.
  std::string version;  // A revision; empty: main.
  std::string verb;     // "infer", "ready", "config", "stats" or nothing.
};

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    out.push_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return out;
}

Result<Place> read_place(const Call& call) {
  Place out;
  std::vector<std::string_view> segments = segments_of(call.capture("model"));
  static constexpr std::string_view verbs[] = {"infer", "ready",    "config",
                                               "stats", "generate", "generate_stream"};
  const bool own = !call.capture("name").empty();  // Its name is one segment there, else two.
  if (segments.size() > (own ? 1 : 2) &&
      std::find(std::begin(verbs), std::end(verbs), segments.back()) != std::end(verbs)) {
    out.verb = segments.back();
    segments.pop_back();
  }
  if (segments.size() > 2 && segments[segments.size() - 2] == "versions") {
    out.version = segments.back();
    segments.resize(segments.size() - 2);
  }
  if (own) {  // One model's own address: its name here is whatever it is called.
    out.model = model_in_path(call);
    return out;
  }
  if (segments.size() != 2)
    return fail(Reason::repo_not_found, "Request for unknown model: a model's name is \"namespace/name\"");
  out.model = fmt::format("{}/{}", segments[0], segments[1]);
  return out;
}

Result<serve::ServedModel> find_model(Services& services, const Call& call, const Place& place) {
  return find_served_model(services, call,
                           place.version.empty() ? place.model : place.model + "@" + place.version);
}

// An error message of this protocol may be all that a client sees of a model's task.
struct Tensors {
  std::vector<std::string_view> outputs;  // Each a name, FP32 where it is "embedding" or "score".
};

Tensors tensors_of(std::string_view task) {
  if (task == "text-classification") return {{"label", "score"}};
  if (task.empty() || task == "feature-extraction" || task == "sentence-similarity") return {{"embedding"}};
  return {{"json"}};
}

json::object tensor_object(std::string_view name, std::string_view datatype, json::array shape) {
  return {{"name", name}, {"datatype", datatype}, {"shape", std::move(shape)}};
}

Result<Response> metadata(serve::Models& models, const Call& call, const serve::ServedModel& model,
                          const Place& place) {
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model, asker_of(call)));
  if (place.verb == "ready") return json_answer(json::object{{"name", model.name}, {"ready", true}});
  json::array outputs;
  for (const std::string_view name : tensors_of(facts.task).outputs) {
    if (name == "embedding")
      outputs.push_back(tensor_object(name, "FP32", {-1, facts.dimensions}));
    else
      outputs.push_back(tensor_object(name, name == "score" ? "FP32" : "BYTES", {-1}));
  }
  json::array inputs, versions;
  inputs.push_back(tensor_object(input_name, "BYTES", {-1}));
  versions.emplace_back(model.commit);
  return json_answer(json::object{{"name", model.name},
                                  {"versions", std::move(versions)},
                                  {"platform", "holdfast"},
                                  {"inputs", std::move(inputs)},
                                  {"outputs", std::move(outputs)}});
}

json::object configured(std::string_view name, std::string_view datatype, json::array dimensions) {
  return {{"name", name},
          {"data_type", datatype == "BYTES" ? "TYPE_STRING" : fmt::format("TYPE_{}", datatype)},
          {"dims", std::move(dimensions)}};
}

// As Triton's model configuration extension writes it, as far as it says anything here.
Result<Response> config(serve::Models& models, const Call& call, const serve::ServedModel& model) {
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model, asker_of(call)));
  json::array inputs, outputs;
  inputs.push_back(configured(input_name, "BYTES", {-1}));
  for (const std::string_view name : tensors_of(facts.task).outputs)
    outputs.push_back(name == "embedding" ? configured(name, "FP32", {-1, facts.dimensions})
                                          : configured(name, name == "score" ? "FP32" : "BYTES", {-1}));
  return json_answer(json::object{
      {"name", model.name},
      {"platform", "holdfast"},
      {"backend", "holdfast"},
      {"version_policy", json::object{{"specific", json::object{{"versions", json::array{model.commit}}}}}},
      {"max_batch_size", 0},  // The first dimension is the batch, whatever its size.
      {"input", std::move(inputs)},
      {"output", std::move(outputs)},
      {"parameters",
       json::object{{"task", json::object{{"string_value",
                                           facts.task.empty() ? "feature-extraction" : facts.task}}}}}});
}

Result<std::vector<KserveOutput>> embed(serve::Models& models, const Call& call,
                                        const serve::ServedModel& model, std::vector<std::string> texts) {
  serve::EmbedItem item;
  item.texts = std::move(texts);
  TRY(const serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item), asker_of(call)));
  std::vector<float> all;
  for (const std::vector<float>& vector : answer.vectors) all.insert(all.end(), vector.begin(), vector.end());
  const uint64_t rows = answer.vectors.size();
  return std::vector<KserveOutput>{{"embedding", {rows, rows == 0 ? 0 : all.size() / rows}, std::move(all)}};
}

Result<std::vector<KserveOutput>> classify(serve::Models& models, const Call& call,
                                           const serve::ServedModel& model, json::array texts,
                                           const json::object& parameters) {
  const uint64_t rows = texts.size();
  TRY(const json::value answers,
      ask_task(models, call, model, "text-classification", std::move(texts), parameters));
  std::vector<std::string> labels;
  std::vector<float> scores;
  // One answer a text, or the likeliest of each, as "top_k" says.
  const auto add = [&](const json::value& one) {
    labels.emplace_back(one.at("label").get_string());
    scores.push_back(one.at("score").to_number<float>());
  };
  for (const json::value& row : answers.get_array())
    if (row.is_array())
      for (const json::value& one : row.get_array()) add(one);
    else
      add(row);
  std::vector<uint64_t> shape = {rows};
  if (labels.size() != rows && rows > 0) shape.push_back(labels.size() / rows);
  return std::vector<KserveOutput>{{"label", shape, std::move(labels)}, {"score", shape, std::move(scores)}};
}

// "score:index:label" of the likeliest classes, as Triton's clients know them.
Result<KserveOutput> classes_of(serve::Models& models, const Call& call, const serve::ServedModel& model,
                                const json::array& texts, json::object parameters, const KserveWish& wish) {
  TRY(const json::value known, ask_task(models, call, model, "describe", nullptr, {}));
  const json::array& labels = known.at("labels").get_array();
  const int64_t count = std::min<int64_t>(wish.classes, static_cast<int64_t>(labels.size()));
  parameters["top_k"] = count;
  TRY(const json::value answers,
      ask_task(models, call, model, "text-classification", texts, std::move(parameters)));
  std::vector<std::string> out;
  for (const json::value& row : answers.get_array()) {
    const json::array one = row.is_array() ? row.get_array() : json::array{row};
    for (const json::value& scored : one) {
      const json::value& label = scored.at("label");
      const auto at = std::find(labels.begin(), labels.end(), label);
      out.push_back(fmt::format("{:f}:{}:{}", scored.at("score").to_number<double>(), at - labels.begin(),
                                std::string_view(label.get_string())));
    }
  }
  return KserveOutput{wish.name, {texts.size(), static_cast<uint64_t>(count)}, std::move(out)};
}

Result<std::vector<KserveOutput>> any_task(serve::Models& models, const Call& call,
                                           const serve::ServedModel& model, std::string_view task,
                                           const std::vector<std::string>& texts,
                                           const json::object& parameters) {
  std::vector<std::string> out;
  for (const std::string& text : texts) {
    // What takes more than a text comes as JSON.
    json::value input(text);
    if (text.starts_with('{')) {
      TRY(input, codec::parse_json(text));
    }
    TRY(const json::value answer, ask_task(models, call, model, task, std::move(input), parameters));
    out.push_back(codec::to_text(answer));
  }
  const uint64_t rows = out.size();
  return std::vector<KserveOutput>{{"json", {rows}, std::move(out)}};
}

Result<Response> infer(const Services& services, serve::Models& models, const Call& call,
                       const serve::ServedModel& model) {
  TRY(const KserveCall asked,
      read_kserve_call(call.request.body, call.request.headers.find(kserve_length_header)));
  if (asked.inputs.size() != 1 || asked.inputs[0].name != input_name || asked.inputs[0].datatype != "BYTES")
    return fail(Reason::bad_request, "the model has one input: 'text' of BYTES");
  const std::vector<std::string>& texts = asked.inputs[0].texts;
  if (services.guards == nullptr || services.guards->controls == serve::Guards::Controls::refused)
    for (const std::string& text : texts) TRY_DONE(check_text_characters(text));
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model, asker_of(call)));
  if (facts.task == "text-generation")
    return fail(Reason::model_unsupported, "a model that writes is not asked for tensors here");
  json::object parameters = asked.parameters;
  parameters.erase("binary_data_output");
  // What Triton's clients say of the request and not of its task.
  for (const char* key : {"sequence_id", "sequence_start", "sequence_end", "priority"})
    if (const json::value* value = parameters.if_contains(key); value != nullptr && !value->is_null())
      return fail(Reason::bad_request, fmt::format("'{}' is not offered here", key));
  TRY(const auto timeout, codec::json_integer_if(parameters, "timeout"));
  if (timeout && *timeout < 0) return fail(Reason::bad_request, "'timeout' is a number of microseconds");
  parameters.erase("timeout");
  Call urgent = call;
  if (timeout && *timeout > 0)
    urgent.context.deadline =
        std::min(call.context.deadline,
                 services.clock.now() + std::chrono::ceil<std::chrono::milliseconds>(
                                            std::chrono::microseconds(std::min(*timeout, timeout_max_us))));
  json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  const std::string_view output = tensors_of(facts.task).outputs.front();
  auto made = output == "embedding" ? embed(models, urgent, model, texts)
              : output == "label"   ? classify(models, urgent, model, list, parameters)
                                    : any_task(models, urgent, model, facts.task, texts, parameters);
  TRY(std::vector<KserveOutput> outputs, std::move(made));
  for (const KserveWish& wish : asked.outputs) {
    if (wish.classes == 0) continue;
    const auto tensor = std::find_if(outputs.begin(), outputs.end(),
                                     [&](const KserveOutput& one) { return one.name == wish.name; });
    if (output != "label" || tensor == outputs.end())
      return fail(Reason::bad_request, "'classification' is for an output of a model that classifies");
    TRY(*tensor, classes_of(models, urgent, model, list, parameters, wish));
  }
  TRY(KserveAnswer answer, write_kserve_answer(asked, model.name, model.commit, outputs));
  Response response;
  response.headers.set("Content-Type", answer.json_length ? "application/octet-stream" : "application/json");
  if (answer.json_length)
    response.headers.set(std::string(kserve_length_header), std::to_string(*answer.json_length));
  response.body = std::move(answer.body);
  return response;
}

Result<Response> ask_model(Services& services, serve::Models& models, const Call& call) {
  TRY(const Place place, read_place(call));
  TRY(const serve::ServedModel model, find_model(services, call, place));
  const bool post = call.request.method == "POST";
  if (post != (place.verb == "infer"))
    return fail(Reason::not_offered,
                "this is not answered here: only a model's metadata, ready, config, stats and infer are");
  if (place.verb == "config") return config(models, call, model);
  if (place.verb == "stats") return kserve_model_statistics(services, call, model);
  return post ? infer(services, models, call, model) : metadata(models, call, model, place);
}

Result<Response> server_metadata(const Call&) {
  return json_answer(
      json::object{{"name", "holdfast"},
                   {"version", "2"},
                   {"extensions", json::array{"binary_tensor_data", "classification", "model_configuration",
                                              "model_repository", "statistics"}}});
}
Result<Response> live(const Call&) { return json_answer(json::object{{"live", true}}); }
Result<Response> ready(const Call&) { return json_answer(json::object{{"ready", true}}); }

// Of one model's own address: when it answers, it is loaded.
Result<Response> own_health(Services& services, serve::Models& models, const Call& call, const char* word) {
  TRY(const serve::ServedModel model, find_served_model(services, call, model_in_path(call)));
  TRY_DONE(models.facts(call.context, model, asker_of(call)));
  return json_answer(json::object{{word, true}});
}

}  // namespace

void add_kserve_routes(RouteTable& table, Services& services, serve::Models& models) {
  const CallHandler ask = [&services, &models](const Call& call) {
    return ask_model(services, models, call);
  };
  const auto health = [&services, &models](const char* word) {
    return CallHandler(
        [&services, &models, word](const Call& call) { return own_health(services, models, call, word); });
  };
  struct Row {
    const char *method, *pattern, *name;
    Access access;
    CallHandler handle;
  };
  const Row rows[] = {
      {"GET", "/v2", "kserve_server", Access::open, server_metadata},
      {"GET", "/v2/health/live", "kserve_live", Access::open, live},
      {"GET", "/v2/health/ready", "kserve_ready", Access::open, ready},
      {"GET", "/v2/models/{model*}", "kserve_model", Access::signed_in, ask},
      {"POST", "/v2/models/{model*}", "kserve_infer", Access::signed_in, ask},
      {"GET", "/models/{ns}/{name}/v2", "kserve_own_server", Access::signed_in, server_metadata},
      {"GET", "/models/{ns}/{name}/v2/health/live", "kserve_own_live", Access::signed_in, health("live")},
      {"GET", "/models/{ns}/{name}/v2/health/ready", "kserve_own_ready", Access::signed_in, health("ready")},
      {"GET", "/models/{ns}/{name}/v2/models/{model*}", "kserve_own_model", Access::signed_in, ask},
      {"POST", "/models/{ns}/{name}/v2/models/{model*}", "kserve_own_infer", Access::signed_in, ask}};
  for (const Row& row : rows)
    table.add({row.method, row.pattern, row.name, row.access,
               std::string_view(row.method) == "POST" ? body_bytes_max : 0, row.handle, Dialect::kserve});
  add_kserve_repository_routes(table, services, models);
}

}  // namespace holdfast::api
