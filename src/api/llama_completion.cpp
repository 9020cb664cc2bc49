// llama.cpp's /completion and /infill: its keys into a call of ours.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/fill_words.h"
#include "api/llama_calls.h"
#include "api/llama_shapes.h"
#include "api/served_task.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

// Ways of choosing a token that are not offered, each with the value at which that server leaves it out. What
// only shapes one of them says nothing without it, and is passed over as a key that nobody knows is there.
struct Absent {
  const char* key;
  double neutral;
};
constexpr Absent absent[] = {{"mirostat", 0},         {"dynatemp_range", 0}, {"dry_multiplier", 0},
                             {"xtc_probability", 0},  {"top_n_sigma", -1},   {"n_indent", 0},
                             {"t_max_predict_ms", 0}, {"n_discard", 0}};
constexpr std::string_view needed_samplers[] = {"top_k", "top_p", "min_p", "temperature"};

Error not_offered(std::string_view key) {
  return fail(Reason::not_offered, fmt::format("'{}' is not offered here", key.substr(0, 60)));
}

// The order in which they are asked is ours; one that is left out would go on choosing.
Status check_samplers(const json::object& body) {
  TRY(const json::array* list, codec::json_array_if(body, "samplers"));
  if (list == nullptr) return Done{};
  for (const std::string_view needed : needed_samplers)
    if (std::none_of(list->begin(), list->end(), [&](const json::value& one) {
          return one.is_string() && std::string_view(one.get_string()) == needed;
        }))
      return not_offered("samplers");
  return Done{};
}

Status check_keys(const json::object& body) {
  for (const Absent& one : absent) {
    TRY(const auto value, codec::json_number_if(body, one.key));
    // "No limit" may be said with -1 as well.
    if (value && *value != one.neutral && *value != -1) return not_offered(one.key);
  }
  TRY(const auto sampled, codec::json_flag_if(body, "post_sampling_probs"));
  if (sampled.value_or(false)) return not_offered("post_sampling_probs");
  for (const char* key : {"lora", "multimodal_data", "image_data"})
    if (const json::value* value = body.if_contains(key);
        value != nullptr && !value->is_null() && !(value->is_array() && value->get_array().empty()))
      return not_offered(key);
  return check_samplers(body);
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
  TRY(auto most, codec::json_integer_if(body, "n_predict"));
  if (!most) {
    TRY(most, codec::json_integer_if(body, "max_tokens"));
  }
  if (most && *most >= 0) asked["max_tokens"] = *most;
  if (most && *most == 0) asked["with_prompt"] = true;  // Reads it and writes nothing.
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

Result<json::array> ids_of_text(const LlamaCall& llama, std::string_view text, bool with_special) {
  TRY(const json::value rows, ask_task(llama.models, llama.call, llama.model, "tokenize", json::value(text),
                                       {{"add_special_tokens", with_special}}));
  json::array ids;
  for (const json::value& row : rows.get_array().front().get_array()) ids.push_back(row.at("id"));
  return ids;
}

// Texts among token ids: one prompt.
Result<json::value> join_prompt(const LlamaCall& llama, const json::array& parts) {
  json::array ids;
  for (const json::value& part : parts) {
    if (!part.is_string()) {
      ids.push_back(part);
      continue;
    }
    TRY(const json::array of_text, ids_of_text(llama, part.get_string(), ids.empty()));
    ids.insert(ids.end(), of_text.begin(), of_text.end());
  }
  return json::value(std::move(ids));
}

Result<json::value> read_prompt(const LlamaCall& llama, const json::value& prompt) {
  const Error bad =
      fail(Reason::bad_request, "'prompt' is a text, token ids, texts among token ids, or a list of those");
  if (prompt.is_string()) return prompt;
  if (prompt.is_object()) {
    TRY_DONE(check_keys(prompt.get_object()));
    TRY(const std::string_view text, codec::json_text(prompt.get_object(), "prompt_string"));
    return json::value(text);
  }
  if (!prompt.is_array() || prompt.get_array().empty()) return bad;
  const json::array& parts = prompt.get_array();
  for (const json::value& part : parts)
    if (!part.is_string() && !part.is_int64()) return bad;
  if (std::all_of(parts.begin(), parts.end(), [](const json::value& part) { return part.is_int64(); }))
    return prompt;
  return join_prompt(llama, parts);
}

// One prompt, or several: a list without a number of its own.
Result<json::array> read_prompts(const LlamaCall& llama) {
  const json::value* given = llama.body.if_contains("prompt");
  if (given == nullptr || given->is_null()) return fail(Reason::bad_request, "'prompt' is missing");
  json::array out;
  const bool several = given->is_array() && !given->get_array().empty() &&
                       std::none_of(given->get_array().begin(), given->get_array().end(),
                                    [](const json::value& part) { return part.is_number(); });
  if (!several) {
    TRY(json::value prompt, read_prompt(llama, *given));
    out.push_back(std::move(prompt));
    return out;
  }
  if (given->get_array().size() > choices_max)
    return fail(Reason::bad_request, fmt::format("'prompt' has more than {} prompts", choices_max));
  for (const json::value& one : given->get_array()) {
    TRY(json::value prompt, read_prompt(llama, one));
    out.push_back(std::move(prompt));
  }
  return out;
}

Result<Response> write(const LlamaCall& llama, const json::array& prompts) {
  const json::object& body = llama.body;
  TRY_DONE(check_keys(body));
  json::object asked;
  LlamaShape shape;
  shape.model = llama.model.name;
  for (const LlamaSetting& setting : llama_settings) {
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
  TRY(const json::array* fields, codec::json_array_if(body, "response_fields"));
  if (fields != nullptr)
    for (const json::value& field : *fields)
      if (field.is_string()) shape.fields.emplace_back(field.get_string());
  for (const char* key : {"max_tokens", "stop"})
    if (const json::value* value = asked.if_contains(key); value != nullptr)
      shape.settings[key == std::string_view("stop") ? key : "n_predict"] = *value;
  std::vector<std::string> requests;
  for (const json::value& prompt : prompts) {
    asked["prompt"] = prompt;
    shape.prompts.push_back(prompt);
    requests.push_back(codec::to_text(asked));
  }
  return write_answers(llama.services, llama.models, llama.call, llama.model, std::move(requests),
                       make_llama_form(std::move(shape), llama.services.clock));
}

}  // namespace

Result<Response> llama_completion(const LlamaCall& llama) {
  TRY(const json::array prompts, read_prompts(llama));
  return write(llama, prompts);
}

Result<Response> llama_infill(const LlamaCall& llama) {
  TRY(const std::string_view before, codec::json_text(llama.body, "input_prefix"));
  TRY(const std::string_view behind, codec::json_text(llama.body, "input_suffix"));
  TRY(const auto begin, codec::json_text_if(llama.body, "prompt"));
  TRY(const json::array* extra, codec::json_array_if(llama.body, "input_extra"));
  TRY(const auto words, fill_words_of(llama.models, llama.call, llama.model));
  if (!words)
    return fail(Reason::model_unsupported, "infill is not supported by this model: it has no words for it");
  std::string text;
  if (extra != nullptr)
    for (const json::value& file : *extra) {
      if (!file.is_object()) return fail(Reason::bad_request, "'input_extra' has files with a 'text' each");
      TRY(const std::string_view content, codec::json_text(file.get_object(), "text"));
      text += fmt::format("{}\n", content);
    }
  text += words->prompt(before, behind);
  text += begin.value_or("");
  return write(llama, {json::value(text)});
}

}  // namespace holdfast::api
