#include "api/openapi.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <string>

#include "api/error_answer.h"
#include "api/openapi_bodies.h"
#include "base/check.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr std::string_view schema_path = "#/components/schemas/";

std::string_view tag_of(const ApiRoute& route) {
  switch (route.dialect) {
    case Dialect::openai:
      return "openai";
    case Dialect::tei:
      return "text-embeddings-inference";
    case Dialect::tgi:
      return "text-generation-inference";
    case Dialect::llama:
      return "llama.cpp";
    case Dialect::kserve:
      return "kserve";
    case Dialect::lfs:
    case Dialect::git:
      return "git";
    case Dialect::hub:
      return route.name.starts_with("task_") ? "tasks" : "hub";
  }
  return "hub";
}

json::object reference(std::string_view name) { return {{"$ref", fmt::format("{}{}", schema_path, name)}}; }

json::object text_member() { return {{"type", "string"}}; }

json::object members(std::initializer_list<std::pair<std::string_view, json::value>> all) {
  json::object properties;
  json::array required;
  for (const auto& [name, schema] : all) {
    properties[name] = schema;
    required.emplace_back(name);
  }
  return {{"type", "object"}, {"required", std::move(required)}, {"properties", std::move(properties)}};
}

// The forms of failures, by dialect; serving_error.h writes them.
json::object error_schemas() {
  const json::value text = text_member(), maybe = json::object{{"type", json::array{"string", "null"}}};
  const json::value number = json::object{{"type", "integer"}};
  return {
      {"HubError", members({{"error", text}})},
      {"OpenAiError",
       members({{"error", members({{"message", text}, {"type", text}, {"param", maybe}, {"code", maybe}})}})},
      {"TypedError", members({{"error", text}, {"error_type", text}})},
      {"LlamaError", members({{"error", members({{"code", number}, {"message", text}, {"type", text}})}})},
      {"LfsError", members({{"message", text}})}};
}

std::string_view error_schema_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai:
      return "OpenAiError";
    case Dialect::tei:
    case Dialect::tgi:
      return "TypedError";
    case Dialect::llama:
      return "LlamaError";
    case Dialect::lfs:
      return "LfsError";
    case Dialect::kserve:
    case Dialect::hub:
    case Dialect::git:
      return "HubError";
  }
  return "HubError";
}

// The path with its captures as OpenAPI writes them, and their names.
std::pair<std::string, std::vector<std::string>> path_of(std::string_view pattern) {
  std::string path;
  std::vector<std::string> names;
  for (size_t at = 0; at < pattern.size(); ++at) {
    path += pattern[at];
    if (pattern[at] != '{') continue;
    const size_t end = pattern.find('}', at);
    std::string_view name = pattern.substr(at + 1, end - at - 1);
    if (name.ends_with('*')) name.remove_suffix(1);
    names.emplace_back(name);
    path += fmt::format("{}}}", name);
    at = end;
  }
  return {std::move(path), std::move(names)};
}

json::object content(json::value schema) {
  return {{"application/json", json::object{{"schema", std::move(schema)}}}};
}

json::object operation(const ApiRoute& route, std::string id, const std::vector<std::string>& names) {
  json::array parameters;
  for (const std::string& name : names)
    parameters.push_back(
        json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", text_member()}});
  json::object out{{"operationId", std::move(id)},
                   {"tags", json::array{json::value(tag_of(route))}},
                   {"parameters", std::move(parameters)}};
  if (route.access.access == Access::open) out["security"] = json::array{json::object()};
  if (route.body_bytes_max > 0 && std::holds_alternative<CallHandler>(route.handle)) {
    const std::string_view body = body_schema_of(route.name);
    out["requestBody"] = json::object{{"content", content(body.empty() ? json::object() : reference(body))}};
  }
  out["responses"] = json::object{
      {"200", json::object{{"description", "Answered."}}},
      {"default", json::object{{"description", "Failed: the body says why, in the protocol's own form."},
                               {"content", content(reference(error_schema_of(route.dialect)))}}}};
  return out;
}

std::string lower(std::string text) {
  for (char& letter : text)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + 32);
  return text;
}

}  // namespace

json::object openapi_document(std::span<const ApiRoute> routes, std::string_view version) {
  json::object paths;
  std::set<std::string> ids;
  for (const ApiRoute& route : routes)
    for (const ExpandedPattern& pattern : expand_pattern(route.pattern)) {
      const auto [path, names] = path_of(pattern.pattern);
      std::string id = route.name;
      for (int number = 2; !ids.insert(id).second; ++number) id = fmt::format("{}_{}", route.name, number);
      json::value& place = paths[path];
      if (!place.is_object()) place = json::object();
      place.get_object()[lower(route.method)] = operation(route, std::move(id), names);
    }
  auto bodies = codec::parse_json_object(body_schemas());
  CHECK(bodies.ok());  // Our own text.
  json::object schemas = std::move(bodies).value();
  for (auto& [name, schema] : error_schemas()) schemas[name] = schema;
  return {{"openapi", "3.1.0"},
          {"info", json::object{{"title", "Holdfast"}, {"version", version}}},
          {"security", json::array{json::object{{"bearer", json::array()}}}},
          {"paths", std::move(paths)},
          {"components",
           json::object{{"securitySchemes",
                         json::object{{"bearer", json::object{{"type", "http"}, {"scheme", "bearer"}}}}},
                        {"schemas", std::move(schemas)}}}};
}

void add_openapi_routes(RouteTable& table, std::string_view version) {
  table.add({"GET", "/openapi.json", "openapi", Access::open, 0,
             CallHandler([&table, version = std::string(version)](const Call&) -> Result<net::Response> {
               return json_answer(openapi_document(table.routes(), version));
             })});
}

}  // namespace holdfast::api
