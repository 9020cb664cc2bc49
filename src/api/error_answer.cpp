#include "api/error_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "api/authenticate.h"
#include "api/serving_error.h"
#include "base/reason.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

constexpr size_t header_text_max = 400;

std::string public_message(const Error& error) {
  if (error.code == Code::internal)
    return "Internal error; the operator finds it in the log by the request id.";
  return error.message.empty() ? std::string(code_name(error.code)) : error.message;
}

boost::json::object hub_body(const Error& error, const ReasonRow& row, const Context& context) {
  boost::json::object body;
  body["error"] = public_message(error);
  body["code"] = row.name;
  body["class"] = error_class_name(row.error_class);
  body["retryable"] = row.retryable;
  body["request_id"] = context.trace_id;
  return body;
}

bool brought_credentials(const net::Request& request) {
  return request.headers.find("Authorization").has_value();
}

// Clients of git and LFS send their credentials only after a challenge, so what is hidden from nobody in
// particular is challenged, whether it exists or not.
int challenged(const net::Request& request, const Error& error, int status) {
  return !brought_credentials(request) && error.reason == Reason::repo_not_found ? 401 : status;
}

void add_challenge(Dialect dialect, net::Response& response) {
  switch (dialect) {
    case Dialect::lfs:
      response.headers.set("LFS-Authenticate", "Basic realm=\"Holdfast\"");
      [[fallthrough]];
    case Dialect::git:
      response.headers.set("WWW-Authenticate", "Basic realm=\"Holdfast\"");
      return;
    case Dialect::hub:
    case Dialect::openai:
    case Dialect::tei:
    case Dialect::tgi:
    case Dialect::llama:
    case Dialect::kserve:
      response.headers.set("WWW-Authenticate", "Bearer realm=\"Holdfast\"");
      return;
  }
}

bool is_unrouted(const Error& error) {
  return error.reason == Reason::method_not_allowed ||
         (error.code == Code::not_found && error.reason == Reason::none);
}

// /api/models/NAME, /api/models/NAME/tree/main, /NAME/resolve/…: what a route with {ns}/{name} does not match
// because a segment is missing.
bool names_repository_without_namespace(std::string_view path) {
  for (const std::string_view prefix : {"/api/models/", "/api/datasets/", "/api/spaces/"})
    if (path.starts_with(prefix)) {
      path.remove_prefix(prefix.size());
      const size_t slash = path.find('/');
      if (slash == std::string_view::npos) return true;
      static constexpr auto verbs = std::to_array<std::string_view>(
          {"tree", "revision", "commits", "commit", "preupload", "refs", "paths-info", "settings", "like",
           "likers", "discussions", "branch", "tag", "auth-check", "resolve", "super-squash"});
      const std::string_view verb = path.substr(slash + 1, path.find('/', slash + 1) - slash - 1);
      return std::ranges::find(verbs, verb) != verbs.end();
    }
  const size_t name = path.find('/', 1);
  return name != std::string_view::npos && path.substr(name).starts_with("/resolve/");
}

// Clients know a wrong token by these words of the header alone, and take another 401 for a repository that
// is missing; why it is wrong stands in the body, which they show as well.
std::string header_message(Dialect dialect, const net::Request& request, const Error& error) {
  if (error.reason == Reason::bad_credentials && dialect == Dialect::hub && brought_credentials(request))
    return std::string(wrong_credentials_text);
  return header_text(public_message(error));
}

net::Response with_error_headers(Dialect dialect, const net::Request& request, const Error& error,
                                 const ReasonRow& row, int status, std::string body) {
  net::Response response;
  response.status = error.reason == Reason::gated && !brought_credentials(request) ? 401 : status;
  response.headers.set("Content-Type", dialect == Dialect::lfs ? "application/vnd.git-lfs+json"
                                                               : "application/json; charset=utf-8");
  response.headers.set("X-Error-Code", std::string(row.error_code));
  response.headers.set("X-Error-Message", header_message(dialect, request, error));
  response.headers.set("Cache-Control", "no-store");
  if (response.status == 401) add_challenge(dialect, response);
  if (response.status == 429 || response.status == 503) response.headers.set("Retry-After", "1");
  response.body = std::move(body);
  return response;
}

// What a model's or an endpoint's own address speaks, by what stands behind its name.
Dialect dialect_of_path(std::string_view path) {
  if (path.starts_with("/v2/")) return Dialect::kserve;
  if (path.starts_with("/v1/")) return Dialect::openai;
  if (path.find("/info/lfs/") != std::string_view::npos) return Dialect::lfs;
  for (const std::string_view place : {"/hf-inference/models/", "/models/", "/endpoints/"}) {
    if (!path.starts_with(place)) continue;
    path.remove_prefix(place.size());
    const size_t name = path.find('/'),
                 rest = name == std::string_view::npos ? name : path.find('/', name + 1);
    if (rest == std::string_view::npos) return Dialect::hub;
    path.remove_prefix(rest + 1);
    if (path.starts_with("v1/") || path == "embeddings") return Dialect::openai;
    if (path.starts_with("v2/")) return Dialect::kserve;
    for (const std::string_view own :
         {"embed", "embed_all", "embed_sparse", "predict", "rerank", "similarity", "tokenize", "decode"})
      if (path == own) return Dialect::tei;
    for (const std::string_view own : {"generate", "generate_stream", "chat_tokenize"})
      if (path == own) return Dialect::tgi;
    for (const std::string_view own : {"completion", "detokenize", "apply-template"})
      if (path == own) return Dialect::llama;
    return Dialect::hub;
  }
  return Dialect::hub;
}

}  // namespace

std::string header_text(std::string_view text) {
  std::string out(text.substr(0, header_text_max));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

net::Response json_answer(const boost::json::value& value, int status) {
  return json_text_answer(codec::to_text(value), status);
}

net::Response json_text_answer(std::string json, int status) {
  net::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json; charset=utf-8");
  response.body = std::move(json);
  return response;
}

net::Response error_answer(Dialect dialect, const net::Request& request, const Error& error,
                           const Context& context) {
  const ReasonRow& row = reason_row(error.code, error.reason);
  const auto written = [&](int status, const boost::json::object& body) {
    return with_error_headers(dialect, request, error, row, status, codec::to_text(body));
  };
  const auto serving = [&](const ServingError& failure) { return written(failure.status, failure.body); };
  const std::string message = public_message(error);
  switch (dialect) {
    case Dialect::hub:
      return written(row.http_status, hub_body(error, row, context));
    case Dialect::git:
      return written(challenged(request, error, row.http_status), hub_body(error, row, context));
    case Dialect::lfs:
      return written(challenged(request, error, row.http_status),
                     {{"message", message}, {"request_id", context.trace_id}});
    case Dialect::openai:
      return serving(openai_error(error, message));
    case Dialect::tei:
      return serving(tei_error(error, message));
    case Dialect::tgi:
      return serving(tgi_error(error, message));
    case Dialect::llama:
      return serving(llama_error(error, message));
    case Dialect::kserve:
      return serving(kserve_error(error, message));
  }
  return written(row.http_status, hub_body(error, row, context));
}

net::Response error_answer_with(const net::Request& request, const Error& error, const Context& context,
                                const boost::json::object& more) {
  const ReasonRow& row = reason_row(error.code, error.reason);
  boost::json::object body = hub_body(error, row, context);
  for (const auto& [key, value] : more) body[key] = value;
  return with_error_headers(Dialect::hub, request, error, row, row.http_status, codec::to_text(body));
}

net::Response write_error(const net::Request& request, const Error& error, const Context& context) {
  const std::string_view path = request.path();
  // Clients may ask for "gpt2", a name without namespace, as the Hub once had: no such repository lives here.
  if (names_repository_without_namespace(path) && is_unrouted(error))
    return error_answer(Dialect::hub, request, fail(Reason::repo_not_found, "Repository not found"), context);
  return error_answer(dialect_of_path(path), request, error, context);
}

}  // namespace holdfast::api
