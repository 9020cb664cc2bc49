#include "api/tei_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "api/embed_inputs.h"
#include "api/embedding_answer.h"
#include "api/error_answer.h"
#include "api/llama_routes.h"
#include "api/route_rows.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "api/served_task.h"
#include "api/tgi_routes.h"
#include "api/vector_rows.h"
#include "base/random.h"
#include "codec/float_text.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 16 << 20;
constexpr std::string_view writing = "text-generation";
constexpr size_t batch_max = 1024;  // Inputs of a request, as /info says.

// One request to one model.
struct TeiCall {
  Services& services;
  serve::Models& models;
  const Call& call;
  serve::ServedModel model;
  json::object body;
};

Response empty_inputs() {
  return json_answer(json::object{{"error", "`inputs` cannot be empty"}, {"error_type", "Empty"}}, 400);
}

bool is_empty(const json::value& inputs) {
  return (inputs.is_string() && inputs.get_string().empty()) ||
         (inputs.is_array() && inputs.get_array().empty());
}

Status check_batch(size_t size) {
  if (size > batch_max)
    return fail(Reason::bad_request,
                fmt::format("batch size {} > maximum allowed batch size {}", size, batch_max));
  return Done{};
}

// The longer inputs are cut unless the caller says not to, as that server does by now.
Result<bool> truncates(const json::object& body) {
  const json::value* value = body.if_contains("truncate");
  if (value == nullptr || value->is_null()) return true;
  return codec::json_flag(body, "truncate");
}

Result<bool> cuts_left(const json::object& body) {
  TRY(const auto side, codec::json_text_if(body, "truncation_direction"));
  if (!side || *side == "right" || *side == "Right") return false;
  if (*side == "left" || *side == "Left") return true;
  return fail(Reason::bad_request, "`truncation_direction` is Left or Right");
}

Result<serve::LongText> long_text_of(const json::object& body) {
  TRY(const bool cuts, truncates(body));
  if (!cuts) return serve::LongText::refuse;
  TRY(const bool left, cuts_left(body));
  return left ? serve::LongText::cut_left : serve::LongText::cut_right;
}

// Where only the right end can be cut.
Status check_cuts_right(const json::object& body) {
  TRY(const bool left, cuts_left(body));
  TRY(const bool cuts, truncates(body));
  if (left && cuts) return fail(Reason::bad_request, "`truncation_direction` Left is not offered here");
  return Done{};
}

// Of addresses that take a prompt's name there, and here take none.
Status check_no_prompt(const json::object& body) {
  TRY(const auto prompt, codec::json_text_if(body, "prompt_name"));
  if (prompt)
    return fail(Reason::bad_request, "`prompt_name` is not offered at this address: /embed takes one");
  return Done{};
}

Result<json::value> run_task(const TeiCall& tei, std::string_view task, json::value inputs,
                             json::object parameters) {
  return ask_task(tei.models, tei.call, tei.model, task, std::move(inputs), std::move(parameters));
}

Result<const json::value*> inputs_of(const TeiCall& tei) {
  const json::value* inputs = tei.body.if_contains("inputs");
  if (inputs == nullptr) return fail(Reason::bad_request, "missing field `inputs`");
  return inputs;
}

// The first numbers, and to length 1.
void finish(std::vector<float>& vector, std::optional<int64_t> dimensions, bool normalized) {
  if (dimensions) vector.resize(static_cast<size_t>(*dimensions));
  if (!normalized) return;
  double square = 0;
  for (float x : vector) square += static_cast<double>(x) * x;
  const auto length = static_cast<float>(std::max(std::sqrt(square), 1e-12));
  for (float& x : vector) x /= length;
}

// With a prompt, which the model's folder names, texts go the way of the task API.
Result<Response> embed_with_prompt(const TeiCall& tei, const json::value& inputs, std::string_view prompt,
                                   std::optional<int64_t> dimensions, bool normalized) {
  json::object parameters{{"prompt_name", prompt}, {"normalize", normalized}};
  TRY(parameters["truncate"], truncates(tei.body));
  if (const json::value* side = tei.body.if_contains("truncation_direction"); side != nullptr)
    parameters["truncation_direction"] = *side;
  if (dimensions) parameters["dimensions"] = *dimensions;
  json::value list = inputs;
  if (inputs.is_string()) list = json::array{inputs};
  TRY(const json::value vectors, run_task(tei, "feature-extraction", std::move(list), std::move(parameters)));
  return json_answer(vectors);
}

// A model with classes is none whose vectors anybody wants there.
Status check_embeds(const TeiCall& tei) {
  TRY(const serve::WorkerFacts facts, tei.models.facts(tei.call.context, tei.model, asker_of(tei.call)));
  if (facts.task == "text-classification")
    return fail(Reason::model_unsupported, "the model is not an embedding model");
  return Done{};
}

Result<Response> embed(const TeiCall& tei) {
  TRY_DONE(check_embeds(tei));
  TRY(const json::value* inputs, inputs_of(tei));
  if (is_empty(*inputs)) return empty_inputs();
  TRY(serve::EmbedItem item, read_embed_inputs(*inputs));
  TRY_DONE(check_batch(item.size()));
  TRY(item.long_text, long_text_of(tei.body));
  TRY(const auto normalized, codec::json_flag_if(tei.body, "normalize"));
  TRY(const auto dimensions, codec::json_integer_if(tei.body, "dimensions"));
  TRY(const auto prompt, codec::json_text_if(tei.body, "prompt_name"));
  if (dimensions) {
    TRY(const serve::WorkerFacts facts, tei.models.facts(tei.call.context, tei.model, asker_of(tei.call)));
    if (*dimensions < 1 || *dimensions > facts.dimensions)
      return fail(Reason::bad_request, fmt::format("`dimensions` is from 1 to {}", facts.dimensions));
  }
  if (prompt && item.ids.empty())
    return embed_with_prompt(tei, *inputs, *prompt, dimensions, normalized.value_or(true));
  return answer_embedding(
      tei.models, tei.call, tei.model, std::move(item), asker_of(tei.call),
      [dimensions, unit = normalized.value_or(true)](serve::EmbedAnswer answer) -> Result<Response> {
        std::string rows = "[";
        for (std::vector<float>& vector : answer.vectors) {
          finish(vector, dimensions, unit);
          if (rows.size() > 1) rows += ',';
          codec::append_floats(rows, vector);
        }
        Response response = json_text_answer(rows += ']');
        uint64_t tokens = 0;
        for (uint32_t count : answer.tokens) tokens += count;
        response.headers.set("x-compute-tokens", std::to_string(tokens));
        return response;
      });
}

Result<Response> embed_all(const TeiCall& tei) {
  TRY_DONE(check_embeds(tei));
  TRY_DONE(check_no_prompt(tei.body));
  TRY(const json::value* inputs, inputs_of(tei));
  if (is_empty(*inputs)) return empty_inputs();
  TRY(serve::EmbedItem item, read_embed_inputs(*inputs));
  TRY_DONE(check_batch(item.size()));
  TRY(item.long_text, long_text_of(tei.body));
  item.wanted = serve::Wanted::features;
  TRY(const serve::EmbedAnswer answer,
      tei.models.embed(tei.call.context, tei.model, std::move(item), asker_of(tei.call)));
  std::string rows = "[";
  for (size_t i = 0; i < answer.vectors.size(); ++i) {
    const std::vector<float>& all = answer.vectors[i];
    if (i > 0) rows += ',';
    append_rows(rows, all, all.size() / std::max<size_t>(answer.tokens[i], 1));
  }
  return json_text_answer(rows += ']');
}

// By the masked language head of a model that has one.
Result<Response> embed_sparse(const TeiCall& tei) {
  TRY_DONE(check_no_prompt(tei.body));
  TRY(const json::value* inputs, inputs_of(tei));
  if (is_empty(*inputs)) return empty_inputs();
  TRY(serve::EmbedItem item, read_embed_inputs(*inputs));
  TRY_DONE(check_batch(item.size()));
  json::object parameters;
  TRY(parameters["truncation"], truncates(tei.body));
  TRY(const bool left, cuts_left(tei.body));
  if (left) parameters["truncation_direction"] = "left";
  json::array list;
  for (std::string& text : item.texts) list.emplace_back(std::move(text));
  for (const std::vector<uint32_t>& ids : item.ids) list.emplace_back(json::array(ids.begin(), ids.end()));
  TRY(const json::value rows, run_task(tei, "embed-sparse", std::move(list), std::move(parameters)));
  return json_answer(rows);
}

// "s", or ["a", "b"]: one pair, or a list of either.
Result<json::value> predict_input(const json::value& one) {
  if (one.is_string()) return one;
  if (one.is_array() && !one.get_array().empty() && one.get_array().size() <= 2) {
    const json::array& parts = one.get_array();
    if (std::all_of(parts.begin(), parts.end(), [](const json::value& part) { return part.is_string(); })) {
      if (parts.size() == 1) return parts[0];
      return json::value(json::object{{"text", parts[0]}, {"text_pair", parts[1]}});
    }
  }
  return fail(Reason::bad_request, "an input is a text, a pair of texts, or a list of lists of those");
}

Result<Response> predict(const TeiCall& tei) {
  TRY_DONE(check_cuts_right(tei.body));
  TRY(const json::value* inputs, inputs_of(tei));
  if (is_empty(*inputs)) return empty_inputs();
  const bool batch = inputs->is_array() && inputs->get_array().front().is_array();
  json::array all;
  if (batch) {
    TRY_DONE(check_batch(inputs->get_array().size()));
    for (const json::value& one : inputs->get_array()) {
      TRY(json::value input, predict_input(one));
      all.push_back(std::move(input));
    }
  } else {
    TRY(json::value input, predict_input(*inputs));
    all.push_back(std::move(input));
  }
  TRY(const auto raw, codec::json_flag_if(tei.body, "raw_scores"));
  json::object parameters{{"top_k", nullptr}};
  TRY(parameters["truncation"], truncates(tei.body));
  if (raw.value_or(false)) parameters["function_to_apply"] = "none";
  TRY(const json::value answers,
      run_task(tei, "text-classification", json::value(std::move(all)), std::move(parameters)));
  return json_answer(batch ? answers : answers.get_array().front());
}

// Cohere's way, told by its `documents`: [{index, relevance_score, document?}].
json::array cohere_results(const json::array& ranked, bool with_documents) {
  json::array results;
  for (const json::value& one : ranked) {
    const json::object& row = one.get_object();
    json::object result{{"index", row.at("index")}, {"relevance_score", row.at("score")}};
    if (with_documents) result["document"] = json::object{{"text", row.at("text")}};
    results.push_back(std::move(result));
  }
  return results;
}

// Documents are texts, or objects with one.
Result<json::array> plain_texts(const json::array& documents) {
  json::array out;
  for (const json::value& one : documents) {
    if (one.is_string()) {
      out.push_back(one);
      continue;
    }
    if (!one.is_object()) return fail(Reason::bad_request, "'documents' are texts, or objects with a text");
    TRY(const std::string_view text, codec::json_text(one.get_object(), "text"));
    out.emplace_back(text);
  }
  return out;
}

enum class Rerank : uint8_t { teis, coheres };  // Whose address was asked.

Result<Response> rank(const TeiCall& tei, Rerank whose) {
  TRY(const std::string_view query, codec::json_text(tei.body, "query"));
  const bool cohere =
      !tei.body.contains("texts") && (whose == Rerank::coheres || tei.body.contains("documents"));
  TRY(const json::array* texts, codec::json_array(tei.body, cohere ? "documents" : "texts"));
  if (texts->empty() && whose == Rerank::coheres)
    return fail(Reason::bad_request, fmt::format("'{}' is empty", cohere ? "documents" : "texts"));
  if (texts->empty())
    return json_answer(json::object{{"error", "`texts` cannot be empty"}, {"error_type", "Empty"}}, 400);
  TRY_DONE(check_cuts_right(tei.body));
  TRY_DONE(check_batch(texts->size()));
  TRY(const json::array plain, plain_texts(*texts));
  if (const json::value* most = tei.body.if_contains("max_tokens_per_doc");
      most != nullptr && !most->is_null())
    return fail(Reason::not_offered, "'max_tokens_per_doc' is not offered here");
  TRY(const auto raw, codec::json_flag_if(tei.body, "raw_scores"));
  TRY(const auto shown, codec::json_flag_if(tei.body, cohere ? "return_documents" : "return_text"));
  json::object parameters{{"raw_scores", raw.value_or(false)}, {"return_text", shown.value_or(false)}};
  TRY(parameters["truncation"], truncates(tei.body));
  TRY(const auto top, codec::json_integer_if(tei.body, "top_n"));
  if (top && *top < 1) return fail(Reason::bad_request, "`top_n` is 1 or more");
  if (top) parameters["top_n"] = *top;
  TRY(const json::value ranked,
      run_task(tei, "rerank", json::object{{"query", query}, {"texts", plain}}, std::move(parameters)));
  if (!cohere) return json_answer(ranked);
  return json_answer(json::object{{"id", "rerank-" + tei.services.random.hex(12)},
                                  {"model", tei.model.name},
                                  {"results", cohere_results(ranked.get_array(), shown.value_or(false))}});
}

Result<Response> rerank(const TeiCall& tei) { return rank(tei, Rerank::teis); }

Result<Response> similarity(const TeiCall& tei) {
  TRY(const json::value* inputs, inputs_of(tei));
  if (!inputs->is_object()) return fail(Reason::bad_request, "`inputs` has a source_sentence and sentences");
  TRY(const json::array* sentences, codec::json_array(inputs->get_object(), "sentences"));
  if (sentences->empty()) return empty_inputs();
  TRY_DONE(check_batch(sentences->size()));
  TRY(const json::object* given, codec::json_object_if(tei.body, "parameters"));
  json::object parameters;
  if (given != nullptr) parameters = *given;
  TRY(const json::value scores, run_task(tei, "sentence-similarity", *inputs, std::move(parameters)));
  return json_answer(scores);
}

// Of the tokenizer: its answer as it is.
Result<Response> ask_tokenizer(const TeiCall& tei, std::string_view task, std::string_view key,
                               std::string_view flag) {
  const json::value* inputs = tei.body.if_contains(key);
  if (inputs == nullptr) return fail(Reason::bad_request, fmt::format("missing field `{}`", key));
  if (is_empty(*inputs)) return empty_inputs();
  json::object parameters;
  TRY(const auto wish, codec::json_flag_if(tei.body, flag));
  if (wish) parameters[flag] = *wish;
  TRY(const json::value answer, run_task(tei, task, *inputs, std::move(parameters)));
  return json_answer(answer);
}
// Three servers' address: llama.cpp's by its key, the others' by what the model is for.
Result<Response> tokenize(const TeiCall& tei) {
  if (tei.body.contains("content")) return llama_tokenize(tei.models, tei.call, tei.model, tei.body);
  TRY(const serve::WorkerFacts facts, tei.models.facts(tei.call.context, tei.model, asker_of(tei.call)));
  if (facts.task == writing) {
    if (tei.call.served) tei.call.served->dialect = Dialect::tgi;
    return tgi_tokenize(tei.models, tei.call, tei.model, tei.body);
  }
  TRY_DONE(check_no_prompt(tei.body));
  return ask_tokenizer(tei, "tokenize", "inputs", "add_special_tokens");
}
Result<Response> decode(const TeiCall& tei) {
  return ask_tokenizer(tei, "detokenize", "ids", "skip_special_tokens");
}

Result<Response> info(const TeiCall& tei) {
  TRY(const serve::WorkerFacts facts, tei.models.facts(tei.call.context, tei.model, asker_of(tei.call)));
  if (facts.task == writing) return tgi_info(tei.models, tei.call, tei.model);
  TRY(const json::value known, run_task(tei, "describe", nullptr, {}));
  const json::array& labels = known.at("labels").get_array();
  json::object type;
  if (facts.task == "text-classification") {
    json::object by_id, by_label;
    for (size_t i = 0; i < labels.size(); ++i) {
      by_id[std::to_string(i)] = labels[i];
      by_label[labels[i].get_string()] = i;
    }
    type[labels.size() == 1 ? "reranker" : "classifier"] =
        json::object{{"id2label", std::move(by_id)}, {"label2id", std::move(by_label)}};
  } else {
    type["embedding"] = json::object{{"pooling", known.at("pooling")}};
  }
  return json_answer(json::object{{"model_id", tei.model.name},
                                  {"model_sha", tei.model.commit},
                                  {"model_dtype", "float32"},
                                  {"served_model_name", tei.model.name},
                                  {"model_type", std::move(type)},
                                  {"max_concurrent_requests", 512},
                                  {"max_input_length", known.at("max_input_length")},
                                  {"max_batch_tokens", 16384},
                                  {"max_batch_requests", nullptr},
                                  {"max_client_batch_size", batch_max},
                                  {"auto_truncate", true},
                                  {"tokenization_workers", 1},
                                  {"version", "1.9.3"},
                                  {"sha", nullptr},
                                  {"docker_label", nullptr}});
}

// Loads the model: who asks wants to know whether it would answer.
Result<Response> health(const TeiCall& tei) {
  TRY_DONE(tei.models.facts(tei.call.context, tei.model, asker_of(tei.call)));
  return json_answer(json::object{{"status", "ok"}});
}

using TeiHandler = Result<Response> (*)(const TeiCall&);

Result<Response> answer(Services& services, serve::Models& models, const Call& call, TeiHandler handle) {
  TRY(serve::ServedModel model, find_served_model(services, call, model_in_path(call)));
  const auto start = services.clock.now();
  json::object body;
  if (call.request.method == "POST") {
    TRY(body, codec::parse_json_object(call.request.body));
  }
  TRY(Response response, handle({services, models, call, std::move(model), std::move(body)}));
  response.headers.set("x-compute-type", "cpu");
  response.headers.set("x-total-time", std::to_string((services.clock.now() - start).count()));
  return response;
}

}  // namespace

namespace {

// The body names the model.
Result<Response> rerank_anywhere(Services& services, serve::Models& models, const Call& call) {
  TRY(json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string name, model_wanted(call, body));
  TRY(serve::ServedModel model, find_served_model(services, call, name));
  return rank({services, models, call, std::move(model), std::move(body)}, Rerank::coheres);
}

}  // namespace

void add_tei_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr RouteRow<TeiHandler> rows[] = {
      {"POST", "/models/{ns}/{name}/embed", "tei_embed", embed},
      {"POST", "/models/{ns}/{name}/embed_all", "tei_embed_all", embed_all},
      {"POST", "/models/{ns}/{name}/embed_sparse", "tei_embed_sparse", embed_sparse},
      {"POST", "/models/{ns}/{name}/predict", "task_predict", predict},
      {"POST", "/models/{ns}/{name}/rerank", "tei_rerank", rerank},
      {"POST", "/models/{ns}/{name}/similarity", "tei_similarity", similarity},
      {"POST", "/models/{ns}/{name}/tokenize", "tei_tokenize", tokenize},
      {"POST", "/models/{ns}/{name}/decode", "tei_decode", decode},
      {"GET", "/models/{ns}/{name}/info", "tei_info", info},
      {"GET", "/models/{ns}/{name}/health", "tei_health", health},
      {"GET", "/models/{ns}/{name}", "tei_root", health},
      {"GET", "/models/{ns}/{name}/ping", "tei_ping", health}};
  add_rows(table, rows, body_bytes_max, Dialect::tei,
           [&services, &models](const Call& call, TeiHandler handle) {
             return answer(services, models, call, handle);
           });
  static constexpr const char* by_body[][2] = {{"/v1/rerank", "cohere_rerank_v1"},
                                               {"/v2/rerank", "cohere_rerank_v2"},
                                               {"/rerank", "cohere_rerank"},
                                               {"/models/{ns}/{name}/v1/rerank", "cohere_own_rerank"}};
  for (const auto& [pattern, name] : by_body)
    table.add({"POST", pattern, name, Access::signed_in, body_bytes_max,
               CallHandler([&services, &models](const Call& call) {
                 return rerank_anywhere(services, models, call);
               }),
               Dialect::openai});
}

}  // namespace holdfast::api
