#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <iterator>

#include "api/embed_inputs.h"
#include "api/embedding_answer.h"
#include "api/error_answer.h"
#include "api/llama_routes.h"
#include "api/openai_routes.h"
#include "api/served_model.h"
#include "api/served_note.h"
#include "api/served_task.h"
#include "codec/base64.h"
#include "codec/float_text.h"
#include "codec/json.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = 16 << 20;
constexpr size_t inputs_max = 2048;

// Matryoshka: the first numbers, to length 1 again.
void shorten(std::vector<float>& vector, size_t dimensions) {
  vector.resize(dimensions);
  double square = 0;
  for (float x : vector) square += static_cast<double>(x) * x;
  const auto length = static_cast<float>(std::max(std::sqrt(square), 1e-12));
  for (float& x : vector) x /= length;
}

void write(std::string& out, const std::vector<float>& vector, bool as_base64) {
  if (!as_base64) return codec::append_floats(out, vector);
  out += '"';
  out +=
      codec::base64_encode(std::as_bytes(std::span(vector)));  // Little-endian float32, as clients decode it.
  out += '"';
}

struct Wish {
  bool as_base64 = false;
  std::optional<int64_t> dimensions;
};

Result<Wish> read_wish(const json::object& body) {
  static constexpr std::string_view known[] = {"model", "input", "encoding_format", "dimensions", "user"};
  for (const auto& [key, value] : body)
    if (!value.is_null() &&
        std::find(std::begin(known), std::end(known), std::string_view(key)) == std::end(known))
      return fail(Reason::bad_request,
                  fmt::format("'{}' is no key that is known here", std::string_view(key).substr(0, 60)));
  Wish wish;
  TRY(const auto format, codec::json_text_if(body, "encoding_format"));
  if (format && *format != "float" && *format != "base64")
    return fail(Reason::bad_request, "'encoding_format' is float or base64");
  wish.as_base64 = format == "base64";
  TRY(wish.dimensions, codec::json_integer_if(body, "dimensions"));
  if (wish.dimensions && *wish.dimensions < 1) return fail(Reason::bad_request, "'dimensions' is 1 or more");
  return wish;
}

Result<net::Response> write_list(const Wish& wish, const json::value& model, serve::EmbedAnswer answer) {
  std::string data;
  int64_t tokens = 0;
  for (uint32_t count : answer.tokens) tokens += count;
  for (size_t i = 0; i < answer.vectors.size(); ++i) {
    std::vector<float>& vector = answer.vectors[i];
    if (wish.dimensions) {
      if (static_cast<size_t>(*wish.dimensions) > vector.size())
        return fail(Reason::bad_request,
                    fmt::format("'dimensions': the model has {}, not {}", vector.size(), *wish.dimensions));
      shorten(vector, static_cast<size_t>(*wish.dimensions));
    }
    data += fmt::format(R"({}{{"object":"embedding","index":{},"embedding":)", i > 0 ? "," : "", i);
    write(data, vector, wish.as_base64);
    data += '}';
  }
  return json_text_answer(fmt::format(
      R"({{"object":"list","model":{},"data":[{}],"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
      codec::to_text(model), data, tokens, tokens));
}

Result<net::Response> embeddings(Services& services, serve::Models& models, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string name, model_wanted(call, body));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  if (body.contains("content") && !body.contains("input")) {  // llama.cpp's, which has this address too.
    if (call.served) call.served->dialect = Dialect::llama;
    return llama_embedding({services, models, call, model, body});
  }
  TRY(const Wish wish, read_wish(body));
  const json::value* input = body.if_contains("input");
  if (input == nullptr) return fail(Reason::bad_request, "'input' is missing");
  if (input->is_string() && input->get_string().empty())
    return fail(Reason::bad_request, "'input' cannot be an empty text");
  auto read = read_embed_inputs(*input);
  if (!read.ok()) return fail(Reason::bad_request, "'input' is a text, a list of texts, or token ids");
  serve::EmbedItem item = std::move(read).value();
  if (item.size() > inputs_max)
    return fail(Reason::bad_request, fmt::format("'input' has more than {} inputs", inputs_max));
  const json::value* said = body.if_contains("model");
  return answer_embedding(
      models, call, model, std::move(item), asker_of(call),
      [wish, said = said != nullptr && said->is_string() ? *said : json::value(name)](
          serve::EmbedAnswer answer) { return write_list(wish, said, std::move(answer)); });
}

// Of an adapter also what it changes, as vLLM says it.
json::object describe(Services& services, const repo::Repository& repository, const std::string& commit) {
  json::object out{{"id", repository.full_name()},
                   {"object", "model"},
                   {"created", repository.created.time_since_epoch().count() / 1000},
                   {"owned_by", repository.ns}};
  const auto id = git::ObjectId::parse(commit);
  if (!id.ok()) return out;
  const auto base = services.hub.adapter_bases.find(repository, id.value());
  if (base.ok() && base.value()) out["parent"] = base.value()->name;
  return out;
}

// One that the caller may ask, loaded or not. The openai client sends the slash of the name encoded.
Result<json::object> model_object(Services& services, const Call& call, std::string_view name) {
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  TRY(const std::optional<repo::Repository> found,
      services.hub.repositories.find(repo::RepoId{model.repository}));
  if (!found) return fail(Reason::repo_not_found, "Repository not found");
  return describe(services, *found, model.commit);
}

// Under one model's own address.
Result<net::Response> list_own(Services& services, const Call& call) {
  TRY(json::object model, model_object(services, call, model_in_path(call)));
  json::array data;
  data.push_back(std::move(model));
  return json_answer(json::object{{"object", "list"}, {"data", std::move(data)}});
}

// Models with a worker that this caller may see.
Result<net::Response> list_models(Services& services, serve::Models& models, const Call& call) {
  json::array data;
  for (const serve::ServedModel& model : models.loaded()) {
    TRY(const std::optional<repo::Repository> found,
        services.hub.repositories.find(repo::RepoId{model.repository}));
    if (!found || !services.hub.rights.may_find(call.caller, *found)) continue;
    data.emplace_back(describe(services, *found, model.commit));
  }
  return json_answer(json::object{{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace

void add_openai_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr const char* embedding_rows[][2] = {
      {"/v1/embeddings", "openai_embeddings"},
      {"/models/{ns}/{name}/v1/embeddings", "model_embeddings"},
      {"/models/{ns}/{name}/embeddings", "tei_embeddings"}};
  for (const auto& [pattern, name] : embedding_rows)
    table.add(
        {"POST", pattern, name, Access::signed_in, body_bytes_max,
         CallHandler([&services, &models](const Call& call) { return embeddings(services, models, call); }),
         Dialect::openai});
  table.add(
      {"GET", "/v1/models", "openai_models", Access::signed_in, 0,
       CallHandler([&services, &models](const Call& call) { return list_models(services, models, call); }),
       Dialect::openai});
  table.add({"GET", "/v1/models/{model*}", "openai_model", Access::signed_in, 0,
             CallHandler([&services](const Call& call) -> Result<net::Response> {
               TRY(const json::object model, model_object(services, call, call.capture("model")));
               return json_answer(model);
             }),
             Dialect::openai});
  table.add({"GET", "/models/{ns}/{name}/v1/models", "model_models", Access::signed_in, 0,
             CallHandler([&services](const Call& call) { return list_own(services, call); }),
             Dialect::openai});
}

}  // namespace holdfast::api
