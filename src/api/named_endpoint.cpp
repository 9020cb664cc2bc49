#include "api/named_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "api/audio_form.h"
#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/served_note.h"
#include "codec/json.h"
#include "govern/registry.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr std::string_view model_key = "\"model\"";
constexpr size_t rewritten_bytes_max = 16 << 20, names_max = 1000;

// A door that names its model in the body, and what it is called below an endpoint's address.
struct NamingDoor {
  const char *row, *rest;
};
constexpr NamingDoor by_body[] = {{"openai_chat", "v1/chat/completions"},
                                  {"openai_completions", "v1/completions"},
                                  {"openai_embeddings", "v1/embeddings"},
                                  {"openai_responses", "v1/responses"},
                                  {"openai_input_tokens", "v1/responses/input_tokens"},
                                  {"openai_moderations", "v1/moderations"},
                                  {"openai_transcriptions", "v1/audio/transcriptions"},
                                  {"openai_translations", "v1/audio/translations"},
                                  {"cohere_rerank_v1", "v1/rerank"},
                                  {"cohere_rerank_v2", "v1/rerank"},
                                  {"cohere_rerank", "v1/rerank"}};

// Asked again inside of the server: what answers is known by then.
bool is_settled(const Call& call) { return call.served != nullptr && call.served->fixed.has_value(); }

// The endpoint that the body's "model" names; empty: none.
std::string endpoint_in_body(const GovernDoor& door, const Call& call) {
  if (door.registry.endpoints.names()->empty()) return {};
  if (const std::string said = model_in_form(call.request); !said.empty())
    return door.registry.endpoints.named(call.caller, said);
  for (const std::string& said : models_said(call.request.body)) {
    std::string id = door.registry.endpoints.named(call.caller, said);
    if (id.empty()) continue;
    const auto body = codec::parse_json_object(call.request.body);
    const json::value* model = body.ok() ? body.value().if_contains("model") : nullptr;
    if (model != nullptr && model->is_string() && model->get_string() == said) return id;
  }
  return {};
}

json::object describe(const govern::Endpoint& endpoint) {
  return {{"id", endpoint.id},
          {"object", "model"},
          {"created", endpoint.created.time_since_epoch().count() / 1000},
          {"owned_by", endpoint.id.substr(0, endpoint.id.find('/'))},
          {"root", endpoint.model}};
}

// The models' own list with the endpoints in front; of two with one name the endpoint.
Result<Response> list_both(const GovernDoor& door, const Call& call, const CallHandler& models) {
  TRY(Response answer, models(call));
  auto* text = std::get_if<std::string>(&answer.body);
  if (text == nullptr || door.registry.endpoints.names()->empty()) return answer;
  TRY(json::object body, codec::parse_json_object(*text));
  TRY(const auto endpoints, door.registry.endpoints.list(call.caller));
  json::array data;
  std::set<std::string, std::less<>> there;
  for (const govern::Endpoint& endpoint : endpoints) {
    if (data.size() >= names_max) break;
    there.insert(endpoint.id);
    data.push_back(describe(endpoint));
  }
  for (json::value& model : body["data"].as_array())
    if (!there.contains(std::string_view(model.at("id").as_string()))) data.push_back(std::move(model));
  body["data"] = std::move(data);
  return json_answer(body);
}

// "ns/name" or "name", with what follows, of an address below /v2/models/: the endpoint and the rest.
std::pair<std::string, std::string> endpoint_in_path(const GovernDoor& door, const Call& call) {
  const std::string_view path = call.capture("model");
  for (size_t end = path.find('/'); !path.empty(); end = path.find('/', end + 1)) {
    const std::string_view name = path.substr(0, end);
    if (std::string id = door.registry.endpoints.named(call.caller, name); !id.empty())
      return {std::move(id), fmt::format("v2/models/{}", path)};
    if (end == std::string_view::npos || std::count(name.begin(), name.end(), '/') > 0) break;
  }
  return {};
}

using Around = std::function<CallHandler(const ApiRoute& row, CallHandler models)>;

// Puts what `around` makes of their handlers in the place of those of the rows of this name.
void wrap(RouteTable& table, std::string_view name, const Around& around) {
  RouteTable wrapped;
  for (ApiRoute row : table.routes()) {
    if (auto* handler = std::get_if<CallHandler>(&row.handle); handler != nullptr && row.name == name)
      row.handle = around(row, std::move(*handler));
    wrapped.add(std::move(row));
  }
  table = std::move(wrapped);
}

}  // namespace

std::vector<std::string> models_said(std::string_view body) {
  constexpr size_t looked_at_max = 16;
  std::vector<std::string> out;
  for (size_t at = body.find(model_key); at != std::string_view::npos && out.size() < looked_at_max;
       at = body.find(model_key, at + model_key.size())) {
    size_t next = body.find_first_not_of(" \t\r\n", at + model_key.size());
    if (next == std::string_view::npos || body[next] != ':') continue;
    next = body.find_first_not_of(" \t\r\n", next + 1);
    if (next == std::string_view::npos || body[next] != '"') continue;
    const size_t end = body.find('"', next + 1);
    if (end == std::string_view::npos) break;
    std::string said;
    for (const char character : body.substr(next + 1, end - next - 1))
      if (character != '\\') said += character;  // As some clients write a slash.
    out.push_back(std::move(said));
  }
  return out;
}

std::string with_engine_model(std::string body, const govern::Endpoint& endpoint,
                              const govern::Attachment& attachment) {
  const std::vector<std::string> said = models_said(body);
  if (said.empty() || body.size() > rewritten_bytes_max) return body;
  const std::string short_name = endpoint.id.substr(endpoint.id.find('/') + 1);
  const auto is_ours = [&](std::string_view name) {
    return name == endpoint.id || name == short_name || name == endpoint.model;
  };
  if (attachment.engine_model.empty() && std::none_of(said.begin(), said.end(), is_ours)) return body;
  auto object = codec::parse_json_object(body);
  json::value* model = object.ok() ? object.value().if_contains("model") : nullptr;
  if (model == nullptr || !model->is_string()) return body;
  if (!attachment.engine_model.empty())
    *model = attachment.engine_model;
  else if (is_ours(std::string_view(model->get_string())))
    *model = endpoint.model;
  return codec::to_text(object.value());
}

std::string engine_path(std::string_view rest, const govern::Endpoint& endpoint,
                        const govern::Attachment& attachment) {
  constexpr std::string_view models = "v2/models/";
  if (!rest.starts_with(models)) return std::string(rest);
  const auto last = [](std::string_view name) { return name.substr(name.find('/') + 1); };
  for (const std::string_view said :
       {std::string_view(endpoint.id), std::string_view(endpoint.model), last(endpoint.id)}) {
    const std::string_view after = rest.substr(models.size());
    if (!after.starts_with(said) || (after.size() > said.size() && after[said.size()] != '/')) continue;
    return fmt::format("{}{}{}", models,
                       attachment.engine_model.empty() ? last(endpoint.model) : attachment.engine_model,
                       after.substr(said.size()));
  }
  return std::string(rest);
}

void name_endpoints(RouteTable& table, const GovernDoor& door, const EndpointAsker& ask) {
  for (const NamingDoor& naming : by_body)
    wrap(table, naming.row, [&](const ApiRoute&, CallHandler models) -> CallHandler {
      return [door, ask, models = std::move(models),
              rest = std::string(naming.rest)](const Call& call) -> Result<Response> {
        const std::string id = is_settled(call) ? std::string() : endpoint_in_body(door, call);
        return id.empty() ? models(call) : ask(call, id, rest);
      };
    });
  for (const char* row : {"kserve_model", "kserve_infer"})
    wrap(table, row, [&](const ApiRoute&, CallHandler models) -> CallHandler {
      return [door, ask, models = std::move(models)](const Call& call) -> Result<Response> {
        if (is_settled(call) || door.registry.endpoints.names()->empty()) return models(call);
        const auto [id, rest] = endpoint_in_path(door, call);
        return id.empty() ? models(call) : ask(call, id, rest);
      };
    });
  wrap(table, "openai_models", [&](const ApiRoute&, CallHandler models) -> CallHandler {
    return [door, models = std::move(models)](const Call& call) { return list_both(door, call, models); };
  });
  wrap(table, "openai_model", [&](const ApiRoute&, CallHandler models) -> CallHandler {
    return [door, models = std::move(models)](const Call& call) -> Result<Response> {
      const std::string id = door.registry.endpoints.named(call.caller, call.capture("model"));
      if (id.empty()) return models(call);
      TRY(const govern::Endpoint endpoint, door.registry.endpoints.find(call.caller, id));
      return json_answer(describe(endpoint));
    };
  });
}

}  // namespace holdfast::api
