#include "api/tgi_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/route_rows.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "api/served_task.h"
#include "api/tgi_shapes.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = 8 << 20;
constexpr std::string_view text_generation = "text-generation";
constexpr int64_t new_tokens_default = 1024, stops_max = 4, top_tokens_max = 5;

Error wrong(std::string_view key, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("`{}` {}", key, what));
}

// What the worker is asked, and how the answer looks.
struct TgiCall {
  json::object asked;
  TgiShape shape;
  std::optional<int64_t> wanted;  // New tokens, where the caller says how many.
};

enum class Way : uint8_t { whole, streamed, chat_tokens };
enum class Ends : uint8_t { open, closed };  // Of a range: whether the ends belong to it.

class Parameters {
 public:
  Parameters(const json::object& given, json::object& asked) : given_(given), asked_(asked) {}

  Result<bool> flag(std::string_view key) const {
    TRY(const auto value, codec::json_flag_if(given_, key));
    return value.value_or(false);
  }
  bool has(std::string_view key) const {
    const json::value* value = given_.if_contains(key);
    return value != nullptr && !value->is_null();
  }
  Status number(std::string_view key, std::string_view into, double least, double most, Ends ends) {
    TRY(const auto value, codec::json_number_if(given_, key));
    if (!value) return Done{};
    const bool open = ends == Ends::open;
    if (!(open ? *value > least && *value < most : *value >= least && *value <= most))
      return wrong(key,
                   fmt::format("must be {} {} and {} {}", open ? ">" : ">=", least, open ? "<" : "<=", most));
    asked_[into] = *value;
    return Done{};
  }
  Status integer(std::string_view key, std::string_view into, int64_t least, int64_t most) {
    TRY(const auto value, codec::json_integer_if(given_, key));
    if (!value) return Done{};
    if (*value < least || *value > most) return wrong(key, fmt::format("must be from {} to {}", least, most));
    asked_[into] = *value;
    return Done{};
  }

 private:
  const json::object& given_;
  json::object& asked_;
};

Status read_grammar(const json::object& given, json::object& asked) {
  TRY(const json::object* grammar, codec::json_object_if(given, "grammar"));
  if (grammar == nullptr) return Done{};
  TRY(const std::string_view type, codec::json_text(*grammar, "type"));
  const json::value* value = grammar->if_contains("value");
  if (value == nullptr) return wrong("grammar", "has no `value`");
  if (type == "regex") {
    if (!value->is_string()) return wrong("grammar", "has an expression as its `value`");
    asked["guided_regex"] = *value;
    return Done{};
  }
  if (type == "json") {
    asked["guided_json"] = *value;
    return Done{};
  }
  if (type != "json_schema") return wrong("grammar", "has the type json, regex or json_schema");
  const json::value* schema = value->is_object() ? value->get_object().if_contains("schema") : nullptr;
  if (schema == nullptr) return wrong("grammar", "has a `schema` in its `value`");
  asked["guided_json"] = *schema;
  return Done{};
}

Status read_stops(const json::object& given, json::object& asked) {
  for (const char* key : {"stop", "stop_sequences"}) {
    TRY(const json::array* stops, codec::json_array_if(given, key));
    if (stops == nullptr || stops->empty()) continue;
    if (stops->size() > static_cast<size_t>(stops_max))
      return wrong(key, fmt::format("supports up to {} stop sequences. Given: {}", stops_max, stops->size()));
    asked["stop"] = *stops;
  }
  return Done{};
}

Status refuse_what_is_not_offered(const Parameters& parameters, const json::object& given) {
  TRY(const bool watermark, parameters.flag("watermark"));
  if (watermark) return fail(Reason::not_offered, "`watermark` is not offered here");
  TRY(const auto best, codec::json_integer_if(given, "best_of"));
  if (best && *best < 1) return wrong("best_of", "must be strictly positive");
  if (best && *best > 1)
    return fail(Reason::not_offered, "`best_of` must be 1: one answer to a request is written here");
  return Done{};
}

Status read_sampling(Parameters& parameters, TgiCall& call) {
  constexpr double any = 1e9;
  TRY(const bool asked_for, parameters.flag("do_sample"));
  call.shape.sampled = asked_for || parameters.has("temperature") || parameters.has("top_k") ||
                       parameters.has("top_p") || parameters.has("typical_p");
  TRY_DONE(parameters.number("temperature", "temperature", 0, any, Ends::open));
  TRY_DONE(parameters.number("top_p", "top_p", 0, 1, Ends::open));
  TRY_DONE(parameters.number("typical_p", "typical_p", 0, 1, Ends::open));
  TRY_DONE(parameters.number("repetition_penalty", "repetition_penalty", 0, any, Ends::open));
  TRY_DONE(parameters.number("frequency_penalty", "frequency_penalty", -2, 2, Ends::closed));
  TRY_DONE(parameters.integer("top_k", "top_k", 1, INT64_C(1) << 31));
  TRY_DONE(parameters.integer("seed", "seed", 1, INT64_MAX));
  if (!call.shape.sampled) call.asked["temperature"] = 0;
  return Done{};
}

Result<TgiCall> read_call(const json::object& body) {
  TgiCall call;
  TRY(const std::string_view inputs, codec::json_text(body, "inputs"));
  if (inputs.empty()) return fail(Reason::bad_request, "`inputs` must have minimum 1 tokens. Given: 0");
  call.asked["prompt"] = inputs;
  TRY(const json::object* given, codec::json_object_if(body, "parameters"));
  const json::object none;
  const json::object& all = given == nullptr ? none : *given;
  Parameters parameters(all, call.asked);
  TRY_DONE(refuse_what_is_not_offered(parameters, all));
  call.asked["max_tokens"] = new_tokens_default;
  TRY_DONE(parameters.integer("max_new_tokens", "max_tokens", 1, INT64_C(1) << 31));
  TRY(call.wanted, codec::json_integer_if(all, "max_new_tokens"));
  TRY_DONE(read_sampling(parameters, call));
  TRY_DONE(parameters.integer("truncate", "truncate_prompt_tokens", 1, INT64_C(1) << 31));
  TRY_DONE(parameters.integer("top_n_tokens", "logprobs", 0, top_tokens_max));
  TRY_DONE(read_grammar(all, call.asked));
  TRY_DONE(read_stops(all, call.asked));
  TRY(call.shape.details, parameters.flag("details"));
  TRY(call.shape.prefill, parameters.flag("decoder_input_details"));
  call.shape.details = call.shape.details || call.shape.prefill;  // They are a part of those.
  TRY(const bool full, parameters.flag("return_full_text"));
  call.asked["with_prompt"] = call.shape.prefill;
  if (full) call.asked["echo"] = true;
  call.shape.top_tokens = call.asked.contains("logprobs");
  return call;
}

// What is asked for has to have room. Bytes are as many tokens as a text may have.
Status check_room(serve::Models& models, const Call& call, const serve::ServedModel& model,
                  const TgiCall& tgi) {
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model, asker_of(call)));
  if (facts.task != text_generation) return Done{};  // Is told of when it is asked.
  const auto most = static_cast<int64_t>(facts.tokens_max);
  const json::value* cut = tgi.asked.if_contains("truncate_prompt_tokens");
  if (cut != nullptr && cut->to_number<int64_t>() >= most)
    return wrong("truncate", fmt::format("must be strictly positive and less than {}. Given: {}", most,
                                         cut->to_number<int64_t>()));
  if (!tgi.wanted) return Done{};
  const json::string& text = tgi.asked.at("prompt").as_string();
  auto inputs = static_cast<int64_t>(text.size()) + 1;
  if (inputs + *tgi.wanted > most) {
    TRY(const json::value rows,
        ask_task(models, call, model, "tokenize", tgi.asked.at("prompt"), json::object()));
    inputs = static_cast<int64_t>(rows.get_array().front().get_array().size());
  }
  if (cut != nullptr) inputs = std::min(inputs, cut->to_number<int64_t>());
  if (inputs + *tgi.wanted > most)
    return fail(
        Reason::bad_request,
        fmt::format("`inputs` tokens + `max_new_tokens` must be <= {}. Given: {} `inputs` tokens and {} "
                    "`max_new_tokens`",
                    most, inputs, *tgi.wanted));
  return Done{};
}

Result<net::Response> write(Services& services, serve::Models& models, const Call& call,
                            const serve::ServedModel& model, TgiCall tgi) {
  if (tgi.shape.streams && tgi.shape.prefill)
    return wrong("decoder_input_details", "is not supported when streaming tokens");
  TRY_DONE(check_room(models, call, model, tgi));
  tgi.asked["with_tokens"] = tgi.shape.streams || tgi.shape.details;
  return write_answers(services, models, call, model, {codec::to_text(tgi.asked)}, make_tgi_form(tgi.shape));
}

Result<net::Response> generate(Services& services, serve::Models& models, const Call& call, Way way) {
  TRY(const serve::ServedModel model, find_written_model(services, call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(TgiCall tgi, read_call(body));
  tgi.shape.streams = way == Way::streamed;
  return write(services, models, call, model, std::move(tgi));
}

Result<json::array> tokens_of(serve::Models& models, const Call& call, const serve::ServedModel& model,
                              json::value text, json::object parameters) {
  TRY(const json::value rows,
      ask_task(models, call, model, "tokenize", std::move(text), std::move(parameters)));
  json::array out;
  for (const json::value& row : rows.get_array().front().get_array()) {
    const json::object& token = row.get_object();
    out.push_back(json::object{{"id", token.at("id")},
                               {"text", token.at("text")},
                               {"start", token.at("start").is_null() ? json::value(0) : token.at("start")},
                               {"stop", token.at("stop").is_null() ? json::value(0) : token.at("stop")}});
  }
  return out;
}

// A chat as its template writes it, and its tokens.
Result<net::Response> chat_tokenize(Services& services, serve::Models& models, const Call& call) {
  TRY(const serve::ServedModel model, find_served_model(services, call, model_in_path(call)));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY_DONE(codec::json_array(body, "messages"));
  TRY(const json::value text, ask_task(models, call, model, "render", body, json::object()));
  TRY(json::array tokens, tokens_of(models, call, model, text, {{"add_special_tokens", false}}));
  return json_answer(json::object{{"tokenize_response", std::move(tokens)}, {"templated_text", text}});
}

}  // namespace

Result<serve::ServedModel> find_written_model(Services& services, const Call& call) {
  const std::string path = model_in_path(call);
  if (call.request.body.find("\"adapter_id\"") == std::string::npos)
    return find_served_model(services, call, path);
  const auto body = codec::parse_json_object(call.request.body);
  const json::object* given = nullptr;
  if (body.ok())
    if (const auto found = codec::json_object_if(body.value(), "parameters"); found.ok())
      given = found.value();
  const json::value* said = given == nullptr ? nullptr : given->if_contains("adapter_id");
  if (said == nullptr || said->is_null()) return find_served_model(services, call, path);
  if (call.served) call.served->dialect = Dialect::tgi;  // Nobody else says that.
  if (!said->is_string()) return wrong("adapter_id", "must be a text");
  if (call.served && call.served->fixed)
    return fail(Reason::not_offered, "`adapter_id` is not offered by an endpoint: deploy one of the adapter");
  auto found = find_served_model(services, call, std::string(said->get_string()));
  if (!found.ok() && found.error().reason == Reason::repo_not_found)
    return wrong("adapter_id", "names one that does not exist");  // Its address does.
  TRY(serve::ServedModel adapter, std::move(found));
  const std::string base = call.served && call.served->by ? call.served->by->base : std::string();
  if (base.empty()) return wrong("adapter_id", fmt::format("names {}, which is no adapter", adapter.name));
  if (!base.starts_with(path.substr(0, path.find('@')) + "@"))
    return wrong("adapter_id", fmt::format("names an adapter of {}, which is not {}", base, path));
  return adapter;
}

Result<net::Response> answer_text_generation(Services& services, serve::Models& models, const Call& call,
                                             const serve::ServedModel& model, const json::object& body) {
  if (call.served) call.served->dialect = Dialect::tgi;
  TRY(TgiCall tgi, read_call(body));
  TRY(const auto streams, codec::json_flag_if(body, "stream"));
  tgi.shape.streams = streams.value_or(false);
  tgi.shape.in_list = true;
  return write(services, models, call, model, std::move(tgi));
}

Result<net::Response> tgi_info(serve::Models& models, const Call& call, const serve::ServedModel& model) {
  TRY(const serve::WorkerFacts facts, models.facts(call.context, model, asker_of(call)));
  const int64_t tokens = facts.tokens_max;
  return json_answer(json::object{{"model_id", model.name},
                                  {"model_sha", model.commit},
                                  {"model_dtype", "float32"},
                                  {"model_device_type", "cpu"},
                                  {"model_pipeline_tag", "text-generation"},
                                  {"max_concurrent_requests", serve::SlotOptions{}.generations_max},
                                  {"max_best_of", 1},
                                  {"max_stop_sequences", stops_max},
                                  {"max_input_tokens", tokens - 1},
                                  {"max_total_tokens", tokens},
                                  {"validation_workers", 1},
                                  {"max_client_batch_size", 1},
                                  {"router", "holdfast"},
                                  {"version", "3.3.6"},
                                  {"sha", nullptr},
                                  {"docker_label", nullptr}});
}

Result<net::Response> tgi_tokenize(serve::Models& models, const Call& call, const serve::ServedModel& model,
                                   const json::object& body) {
  TRY(const std::string_view inputs, codec::json_text(body, "inputs"));
  TRY(const json::array tokens, tokens_of(models, call, model, json::value(inputs), json::object()));
  return json_answer(tokens);
}

void add_tgi_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr RouteRow<Way> rows[] = {
      {"POST", "/models/{ns}/{name}/generate", "tgi_generate", Way::whole},
      {"POST", "/models/{ns}/{name}/generate_stream", "tgi_generate_stream", Way::streamed},
      {"POST", "/models/{ns}/{name}/chat_tokenize", "tgi_chat_tokenize", Way::chat_tokens}};
  add_rows(table, rows, body_bytes_max, Dialect::tgi, [&services, &models](const Call& call, Way way) {
    return way == Way::chat_tokens ? chat_tokenize(services, models, call)
                                   : generate(services, models, call, way);
  });
}

}  // namespace holdfast::api
