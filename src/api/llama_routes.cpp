#include "api/llama_routes.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/llama_shapes.h"
#include "api/route_rows.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "api/served_task.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 8 << 20;

struct LlamaCall {
  Services& services;
  serve::Models& models;
  const Call& call;
  serve::ServedModel model;
  json::object body;
};

// That server's keys, ours, and its value where the caller says nothing.
struct Setting {
  const char *theirs, *ours;
  double fallback;
};
constexpr Setting settings[] = {{"temperature", "temperature", 0.8},
                                {"top_k", "top_k", 40},
                                {"top_p", "top_p", 0.95},
                                {"min_p", "min_p", 0.05},
                                {"typical_p", "typical_p", 1},
                                {"repeat_penalty", "repetition_penalty", 1},
                                {"presence_penalty", "presence_penalty", 0},
                                {"frequency_penalty", "frequency_penalty", 0}};
// Say nothing of the text here, or have no effect at the value that is allowed.
constexpr std::string_view passed_over[] = {
    "prompt",      "stream",     "cache_prompt", "id_slot",           "n_predict",
    "stop",        "seed",       "n_probs",      "return_tokens",     "grammar",
    "json_schema", "ignore_eos", "logit_bias",   "timings_per_token", "model"};

Status check_keys(const json::object& body) {
  for (const auto& [key, value] : body) {
    const auto is = [&, name = std::string_view(key)](std::string_view other) { return name == other; };
    if (value.is_null()) continue;
    if (std::any_of(std::begin(settings), std::end(settings), [&](const Setting& s) { return is(s.theirs); }))
      continue;
    if (std::any_of(std::begin(passed_over), std::end(passed_over), is)) continue;
    return fail(Reason::not_offered,
                fmt::format("'{}' is not offered here", std::string_view(key).substr(0, 60)));
  }
  return Done{};
}

// [[id, bias]] or {"id": bias}; false for a bias is never.
Result<json::object> read_biases(const json::value& given) {
  json::object out;
  const Error bad = fail(Reason::bad_request, "'logit_bias' is a list of pairs of a token's id and its bias");
  const auto add = [&](std::string key, const json::value& bias) {
    out[std::move(key)] = bias.is_bool() ? json::value(-100) : bias;
  };
  if (given.is_object()) {
    for (const auto& [key, bias] : given.get_object()) add(std::string(key), bias);
    return out;
  }
  if (!given.is_array()) return bad;
  for (const json::value& pair : given.get_array()) {
    if (!pair.is_array() || pair.get_array().size() != 2 || !pair.get_array()[0].is_int64()) return bad;
    add(std::to_string(pair.get_array()[0].get_int64()), pair.get_array()[1]);
  }
  return out;
}

Status read_limits(const json::object& body, json::object& asked) {
  TRY(const auto most, codec::json_integer_if(body, "n_predict"));
  if (most && *most >= 0) asked["max_tokens"] = *most;
  TRY(const auto seed, codec::json_integer_if(body, "seed"));
  if (seed && *seed >= 0) asked["seed"] = *seed;
  if (const json::value* stop = body.if_contains("stop");
      stop != nullptr && !(stop->is_array() && stop->get_array().empty()))
    asked["stop"] = *stop;
  TRY(const auto goes_on, codec::json_flag_if(body, "ignore_eos"));
  if (goes_on) asked["ignore_eos"] = *goes_on;
  TRY(const auto grammar, codec::json_text_if(body, "grammar"));
  if (grammar && !grammar->empty()) asked["guided_grammar"] = *grammar;
  if (const json::value* schema = body.if_contains("json_schema"); schema != nullptr && !schema->is_null()) {
    if (asked.contains("guided_grammar"))
      return fail(Reason::bad_request, "'json_schema' and 'grammar' exclude each other");
    asked["guided_json"] = *schema;
  }
  if (const json::value* biases = body.if_contains("logit_bias"); biases != nullptr && !biases->is_null()) {
    TRY(asked["logit_bias"], read_biases(*biases));
  }
  return Done{};
}

Result<Response> completion(const LlamaCall& llama) {
  const json::object& body = llama.body;
  TRY_DONE(check_keys(body));
  json::object asked;
  LlamaShape shape;
  shape.model = llama.model.name;
  const json::value* prompt = body.if_contains("prompt");
  if (prompt == nullptr || prompt->is_null()) return fail(Reason::bad_request, "'prompt' is missing");
  asked["prompt"] = shape.prompt = *prompt;
  for (const Setting& setting : settings) {
    TRY(const auto value, codec::json_number_if(body, setting.theirs));
    asked[setting.ours] = shape.settings[setting.theirs] = value.value_or(setting.fallback);
  }
  TRY_DONE(read_limits(body, asked));
  TRY(const auto streams, codec::json_flag_if(body, "stream"));
  shape.streams = streams.value_or(false);
  TRY(const auto tokens, codec::json_flag_if(body, "return_tokens"));
  shape.with_tokens = tokens.value_or(false);
  TRY(const auto shown, codec::json_integer_if(body, "n_probs"));
  shape.with_probabilities = shown.value_or(0) > 0;
  if (shown && (*shown < 0 || *shown > 20)) return fail(Reason::bad_request, "'n_probs' is between 0 and 20");
  if (shape.with_probabilities) asked["logprobs"] = *shown;
  asked["with_tokens"] = shape.with_tokens || shape.with_probabilities || shape.streams;
  for (const char* key : {"max_tokens", "stop"})
    if (const json::value* value = asked.if_contains(key); value != nullptr)
      shape.settings[key == std::string_view("stop") ? key : "n_predict"] = *value;
  return write_answers(llama.services, llama.models, llama.call, llama.model, {codec::to_text(asked)},
                       make_llama_form(std::move(shape), llama.services.clock));
}

Result<json::value> describe(const LlamaCall& llama) {
  return ask_task(llama.models, llama.call, llama.model, "describe", nullptr, {});
}

Status check_writes(const json::value& known) {
  if (known.get_object().contains("answers")) return Done{};
  return fail(Reason::model_unsupported, "the model does not write text");
}

Result<Response> props(const LlamaCall& llama) {
  TRY(const json::value known, describe(llama));
  TRY_DONE(check_writes(known));
  json::object defaults;
  for (const Setting& setting : settings) defaults[setting.theirs] = setting.fallback;
  const auto special = [&](const char* name) {
    const json::value* token = known.at("special_tokens").get_object().if_contains(name);
    return token == nullptr ? json::value("") : *token;
  };
  return json_answer(json::object{
      {"default_generation_settings",
       json::object{{"id", 0}, {"n_ctx", known.at("max_input_length")}, {"params", std::move(defaults)}}},
      {"total_slots", known.at("answers_at_once")},
      {"model_path", llama.model.name},
      {"model_alias", llama.model.name},
      {"chat_template", known.at("chat_template")},
      {"bos_token", special("bos_token")},
      {"eos_token", special("eos_token")},
      {"modalities", json::object{{"vision", false}, {"audio", false}}},
      {"build_info", "holdfast"}});
}

// Answers wait behind those that are written: as many slots are busy as there are answers.
Result<Response> slots(const LlamaCall& llama) {
  TRY(const json::value known, describe(llama));
  TRY_DONE(check_writes(known));
  json::array out;
  const int64_t all = known.at("answers_at_once").to_number<int64_t>();
  const int64_t busy = known.at("answers").to_number<int64_t>();
  for (int64_t id = 0; id < all; ++id)
    out.push_back(
        json::object{{"id", id}, {"n_ctx", known.at("max_input_length")}, {"is_processing", id < busy}});
  return json_answer(out);
}

Result<Response> detokenize(const LlamaCall& llama) {
  TRY(const json::array* tokens, codec::json_array(llama.body, "tokens"));
  if (tokens->empty()) return json_answer(json::object{{"content", ""}});
  TRY(const json::value texts, ask_task(llama.models, llama.call, llama.model, "detokenize", *tokens,
                                        {{"skip_special_tokens", false}}));
  return json_answer(json::object{{"content", texts.get_array().front()}});
}

Result<Response> apply_template(const LlamaCall& llama) {
  TRY(const json::value text,
      ask_task(llama.models, llama.call, llama.model, "render", llama.body, json::object()));
  return json_answer(json::object{{"prompt", text}});
}

using LlamaHandler = Result<Response> (*)(const LlamaCall&);

Result<Response> answer(Services& services, serve::Models& models, const Call& call, LlamaHandler handle) {
  TRY(serve::ServedModel model, find_served_model(services, call, model_in_path(call)));
  json::object body;
  if (call.request.method == "POST") {
    TRY(body, codec::parse_json_object(call.request.body));
  }
  return handle({services, models, call, std::move(model), std::move(body)});
}

}  // namespace

Result<Response> llama_tokenize(serve::Models& models, const Call& call, const serve::ServedModel& model,
                                const json::object& body) {
  if (call.served) call.served->dialect = Dialect::llama;
  TRY(const std::string_view content, codec::json_text(body, "content"));
  TRY(const auto special, codec::json_flag_if(body, "add_special"));
  TRY(const auto pieces, codec::json_flag_if(body, "with_pieces"));
  TRY(const json::value rows, ask_task(models, call, model, "tokenize", json::value(content),
                                       {{"add_special_tokens", special.value_or(false)}}));
  json::array tokens;
  for (const json::value& row : rows.get_array().front().get_array()) {
    const json::object& token = row.get_object();
    if (pieces.value_or(false))
      tokens.push_back(json::object{{"id", token.at("id")}, {"piece", token.at("text")}});
    else
      tokens.push_back(token.at("id"));
  }
  return json_answer(json::object{{"tokens", std::move(tokens)}});
}

void add_llama_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr RouteRow<LlamaHandler> rows[] = {
      {"POST", "/models/{ns}/{name}/completion", "llama_completion", completion},
      {"GET", "/models/{ns}/{name}/props", "llama_props", props},
      {"GET", "/models/{ns}/{name}/slots", "llama_slots", slots},
      {"POST", "/models/{ns}/{name}/detokenize", "llama_detokenize", detokenize},
      {"POST", "/models/{ns}/{name}/apply-template", "llama_apply_template", apply_template}};
  add_rows(table, rows, body_bytes_max, Dialect::llama,
           [&services, &models](const Call& call, LlamaHandler handle) {
             return answer(services, models, call, handle);
           });
}

}  // namespace holdfast::api
