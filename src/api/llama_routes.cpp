#include "api/llama_routes.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "api/embed_inputs.h"
#include "api/error_answer.h"
#include "api/llama_calls.h"
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
  for (const LlamaSetting& setting : llama_settings) defaults[setting.theirs] = setting.fallback;
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

std::vector<json::array> rows_of(const serve::EmbedAnswer& answer, double norm) {
  std::vector<json::array> out;
  for (const std::vector<float>& vector : answer.vectors) {
    double sum = 0, largest = 0;
    for (const float x : vector) {
      sum += std::pow(std::abs(static_cast<double>(x)), norm == 0 ? 2 : norm);
      largest = std::max(largest, std::abs(static_cast<double>(x)));
    }
    // As that server has it: -1 none, 0 the largest at 32760, 2 the length, else the p-norm.
    const double length = norm < 0 ? 1 : norm == 0 ? largest / 32760 : std::pow(sum, 1 / norm);
    json::array row;
    row.reserve(vector.size());
    for (const float x : vector) row.emplace_back(length > 0 ? static_cast<float>(x / length) : 0.0F);
    out.push_back(std::move(row));
  }
  return out;
}

Result<Response> embedding(const LlamaCall& llama) { return llama_embedding(llama); }

Result<Response> no_adapters(const LlamaCall&) { return json_answer(json::array()); }

Result<Response> keep_props(const LlamaCall&) {
  return fail(Reason::model_unsupported, "properties of a model are not changed here");
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

Result<net::Response> llama_embedding(const LlamaCall& llama) {
  const json::value* content = llama.body.if_contains("content");
  if (content == nullptr) content = llama.body.if_contains("input");
  if (content == nullptr) return fail(Reason::bad_request, "'content' is missing");
  TRY(serve::EmbedItem item, read_embed_inputs(*content));
  TRY(const auto norm, codec::json_number_if(llama.body, "embd_normalize"));
  TRY(const serve::EmbedAnswer answer,
      llama.models.embed(llama.call.context, llama.model, std::move(item), asker_of(llama.call)));
  json::array out;
  for (json::array& row : rows_of(answer, norm.value_or(2))) {
    json::array rows;
    rows.emplace_back(std::move(row));
    out.push_back(json::object{{"index", out.size()}, {"embedding", std::move(rows)}});
  }
  return json_answer(out);
}

void add_llama_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr RouteRow<LlamaHandler> rows[] = {
      {"POST", "/models/{ns}/{name}/completion", "llama_completion", llama_completion},
      {"POST", "/models/{ns}/{name}/completions", "llama_completions", llama_completion},
      {"POST", "/models/{ns}/{name}/infill", "llama_infill", llama_infill},
      {"POST", "/models/{ns}/{name}/embedding", "llama_embedding", embedding},
      {"GET", "/models/{ns}/{name}/lora-adapters", "llama_adapters", no_adapters},
      {"POST", "/models/{ns}/{name}/props", "llama_props_change", keep_props},
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
