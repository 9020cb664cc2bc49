#include "api/error_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

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

// The codes that OpenAI's clients know; ours where they know none.
std::string_view openai_code(const Error& error, const ReasonRow& row) {
  if (error.reason == Reason::repo_not_found || error.reason == Reason::revision_not_found)
    return "model_not_found";
  if (error.reason == Reason::unauthenticated || error.reason == Reason::bad_credentials)
    return "invalid_api_key";
  if (error.reason == Reason::input_too_long) return "context_length_exceeded";
  if (row.code == Code::busy) return "rate_limit_exceeded";
  return row.name;
}

boost::json::object openai_body(const Error& error, const ReasonRow& row) {
  boost::json::object inner;
  inner["message"] = public_message(error);
  inner["type"] = row.http_status >= 500 ? "server_error" : "invalid_request_error";
  inner["code"] = openai_code(error, row);
  inner["param"] = nullptr;
  return {{"error", std::move(inner)}};
}

bool brought_credentials(const net::Request& request) {
  return request.headers.find("Authorization").has_value();
}

// Clients of git and LFS send their credentials only after a challenge, so what is hidden from nobody in
// particular is challenged, whether it exists or not.
int status_of(Dialect dialect, const net::Request& request, const Error& error, const ReasonRow& row) {
  const bool anonymous = !brought_credentials(request);
  if (anonymous && error.reason == Reason::gated) return 401;
  switch (dialect) {
    case Dialect::git:
    case Dialect::lfs:
      return anonymous && error.reason == Reason::repo_not_found ? 401 : row.http_status;
    case Dialect::hub:
    case Dialect::openai:
      return row.http_status;
  }
  return row.http_status;
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

net::Response with_error_headers(Dialect dialect, const net::Request& request, const Error& error,
                                 const ReasonRow& row, std::string body) {
  net::Response response;
  response.status = status_of(dialect, request, error, row);
  response.headers.set("Content-Type", dialect == Dialect::lfs ? "application/vnd.git-lfs+json"
                                                               : "application/json; charset=utf-8");
  response.headers.set("X-Error-Code", std::string(row.error_code));
  response.headers.set("X-Error-Message", header_text(public_message(error)));
  response.headers.set("Cache-Control", "no-store");
  if (response.status == 401) add_challenge(dialect, response);
  if (response.status == 429 || response.status == 503) response.headers.set("Retry-After", "1");
  response.body = std::move(body);
  return response;
}

}  // namespace

std::string header_text(std::string_view text) {
  std::string out(text.substr(0, header_text_max));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

net::Response json_answer(const boost::json::value& value, int status) {
  net::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/json; charset=utf-8");
  response.body = codec::to_text(value);
  return response;
}

net::Response error_answer(Dialect dialect, const net::Request& request, const Error& error,
                           const Context& context) {
  const ReasonRow& row = reason_row(error.code, error.reason);
  boost::json::object body;
  switch (dialect) {
    case Dialect::hub:
    case Dialect::git:
      body = hub_body(error, row, context);
      break;
    case Dialect::lfs:
      body["message"] = public_message(error);
      body["request_id"] = context.trace_id;
      break;
    case Dialect::openai:
      body = openai_body(error, row);
      break;
  }
  return with_error_headers(dialect, request, error, row, codec::to_text(body));
}

net::Response error_answer_with(const net::Request& request, const Error& error, const Context& context,
                                const boost::json::object& more) {
  const ReasonRow& row = reason_row(error.code, error.reason);
  boost::json::object body = hub_body(error, row, context);
  for (const auto& [key, value] : more) body[key] = value;
  return with_error_headers(Dialect::hub, request, error, row, codec::to_text(body));
}

net::Response write_error(const net::Request& request, const Error& error, const Context& context) {
  const std::string_view path = request.path();
  // Clients may ask for "gpt2", a name without namespace, as the Hub once had: no such repository lives here.
  if (names_repository_without_namespace(path) && is_unrouted(error))
    return error_answer(Dialect::hub, request, fail(Reason::repo_not_found, "Repository not found"), context);
  if (path.starts_with("/v1/")) return error_answer(Dialect::openai, request, error, context);
  if (path.find("/info/lfs/") != std::string_view::npos)
    return error_answer(Dialect::lfs, request, error, context);
  return error_answer(Dialect::hub, request, error, context);
}

}  // namespace holdfast::api
