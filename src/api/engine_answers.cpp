#include "api/engine_answers.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/served_model.h"
#include "api/services.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "serve/answer_cache.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr size_t looked_at_bytes_max = 1 << 20;

constexpr std::string_view always[] = {"embed",          "embed_all",     "embed_sparse", "predict",
                                       "rerank",         "similarity",    "tokenize",     "decode",
                                       "detokenize",     "embeddings",    "embedding",    "chat_tokenize",
                                       "apply-template", "v1/embeddings", "v1/rerank",    "v1/moderations"};
constexpr std::string_view by_temperature[] = {"v1/chat/completions", "v1/completions", "v1/responses",
                                               "completion",          "completions",    "chat/completions"};
// Of what text-generation-inference is asked: any of these samples.
constexpr std::string_view sampling[] = {"temperature", "top_k", "top_p", "typical_p", "seed"};

template <size_t count>
bool among(const std::string_view (&list)[count], std::string_view rest) {
  return std::find(std::begin(list), std::end(list), rest) != std::end(list);
}

bool is_zero(const json::value* value) {
  return value != nullptr && value->is_number() && value->to_number<double>() == 0;
}

bool is_greedy(const json::object& body) {
  const auto parameters = codec::json_object_if(body, "parameters");
  if (!parameters.ok()) return false;
  if (parameters.value() == nullptr) return true;
  const json::value* sampled = parameters.value()->if_contains("do_sample");
  if (sampled != nullptr && !sampled->is_null() && !(sampled->is_bool() && !sampled->get_bool()))
    return false;
  return std::all_of(std::begin(sampling), std::end(sampling), [&](std::string_view key) {
    const json::value* value = parameters.value()->if_contains(key);
    return value == nullptr || value->is_null();
  });
}

// Tensors, of a model that keeps no sequence and draws nothing, as far as its request says.
bool is_plain_infer(std::string_view rest, std::string_view body) {
  if (!rest.starts_with("v2/models/") || !rest.ends_with("/infer")) return false;
  for (const std::string_view word : {"sequence_", "temperature", "seed", "random", "sampling"})
    if (body.find(word) != std::string_view::npos) return false;
  return true;
}

std::string field(std::string_view text) { return std::to_string(text.size()) + ':' + std::string(text); }

}  // namespace

bool is_deterministic(std::string_view engine, std::string_view rest, std::string_view body) {
  if (among(always, rest)) return true;
  if (is_plain_infer(rest, body)) return true;
  const bool root = rest.empty() || rest == "invocations" || rest == "generate";
  if (!root && !among(by_temperature, rest)) return false;
  if (root && engine == "tei") return true;
  if (body.size() > looked_at_bytes_max) return false;
  const auto object = codec::parse_json_object(body);
  if (!object.ok()) return false;
  if (root) return engine == "tgi" && is_greedy(object.value());
  return is_zero(object.value().if_contains("temperature"));
}

KeptEngineAnswer::KeptEngineAnswer(const Services& services, const Call& call,
                                   const govern::Endpoint& endpoint, const govern::Attachment& attachment,
                                   const InnerRequest& request, std::string_view rest)
    : services_(services) {
  if (services.guards == nullptr || services.guards->answers == nullptr || request.method != "POST" ||
      !call.served)
    return;
  const serve::Asker asker = asker_of(call);
  if (asker.caching == serve::Caching::leave || !is_deterministic(attachment.engine, rest, request.body))
    return;
  std::string text;
  for (const std::string_view part :
       {std::string_view("engine"), std::string_view(asker.boundary), std::string_view(endpoint.id),
        std::string_view(endpoint.model), std::string_view(attachment.revision),
        std::string_view(attachment.engine), std::string_view(attachment.url),
        std::string_view(attachment.engine_model), rest, std::string_view(request.content_type),
        call.request.headers.get("Inference-Header-Content-Length"), std::string_view(request.body)})
    text += field(part);
  key_ = codec::sha256(as_bytes(text));
}

Error without_address(Error error) {
  // As net's client words it.
  constexpr std::string_view begin = "the call to ", end = " failed: ";
  if (const size_t at = error.message.find(end); error.message.starts_with(begin) && at != std::string::npos)
    error.message.replace(0, at, "the call to the endpoint's engine");
  return error;
}

std::optional<EngineAnswer> KeptEngineAnswer::find() const {
  const auto kept = key_ ? services_.guards->answers->find(*key_) : nullptr;
  const auto* body = kept == nullptr ? nullptr : std::get_if<serve::KeptBody>(kept.get());
  if (body == nullptr) return std::nullopt;
  return EngineAnswer{body->content_type, body->kserve_length, body->body};
}

void KeptEngineAnswer::keep(const EngineAnswer& answer) const {
  if (key_)
    services_.guards->answers->keep(*key_,
                                    serve::KeptBody{answer.content_type, answer.kserve_length, answer.body});
}

}  // namespace holdfast::api
