#include "api/serving_error.h"

#include <boost/json/value.hpp>
#include <string>

#include "base/reason.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

const ReasonRow& row_of(const Error& error) { return reason_row(error.code, error.reason); }

// 'name' or "name" at the beginning of what is wrong.
std::string_view key_in(const std::string& message) {
  if (!message.starts_with('\'') && !message.starts_with('"')) return {};
  const size_t end = message.find(message.front(), 1);
  return end == std::string::npos ? std::string_view() : std::string_view(message).substr(1, end - 1);
}

bool callers_fault(int status) { return status == 400 || status == 413 || status == 422; }

}  // namespace

ServingError openai_error(const Error& error, const std::string& message) {
  const ReasonRow& row = row_of(error);
  ServingError out{.status = row.http_status, .body = {}};
  std::string type = row.http_status >= 500 ? "server_error" : "invalid_request_error";
  json::value param = nullptr, code = json::value(row.name);
  if (error.reason == Reason::repo_not_found || error.reason == Reason::revision_not_found) {
    code = "model_not_found";
    param = "model";
  } else if (error.reason == Reason::unauthenticated || error.reason == Reason::bad_credentials) {
    code = "invalid_api_key";
  } else if (error.reason == Reason::input_too_long) {
    code = "context_length_exceeded";
    out.status = 400;
  } else if (error.reason == Reason::model_unsupported) {
    param = "model";
    out.status = 400;
  } else if (row.code == Code::busy) {
    type = "requests";
    code = "rate_limit_exceeded";
  } else if (row.http_status == 400 || error.reason == Reason::tokenization_failed) {
    code = nullptr;
    out.status = 400;
  }
  if (const std::string_view key = key_in(message);
      !key.empty() && (callers_fault(out.status) || error.reason == Reason::not_offered)) {
    param = json::value(key);
    // Else clients take it for an address that is not there.
    if (error.reason == Reason::not_offered) code = "unsupported_parameter";
    out.status = out.status == 404 ? 400 : out.status;
  }
  out.body = {{"error", json::object{{"message", message},
                                     {"type", std::move(type)},
                                     {"param", std::move(param)},
                                     {"code", std::move(code)}}}};
  return out;
}

ServingError tei_error(const Error& error, const std::string& message) {
  int status = row_of(error).http_status;
  std::string_view type = "Backend";
  if (error.reason == Reason::model_unsupported || error.reason == Reason::not_offered || status == 500) {
    status = 424;
  } else if (error.reason == Reason::tokenization_failed) {
    status = 422;
    type = "Tokenizer";
  } else if (callers_fault(status)) {
    status = 422;
    type = "Validation";
  } else if (status == 429) {
    type = "Overloaded";
  } else if (status == 503) {
    type = "Unhealthy";
  }
  return {.status = status, .body = {{"error", message}, {"error_type", type}}};
}

ServingError tgi_error(const Error& error, const std::string& message) {
  int status = row_of(error).http_status;
  std::string_view type = "generation";
  std::string said = "Request failed during generation: " + message;
  if (error.reason == Reason::model_unsupported || status == 500) {
    status = 424;
  } else if (callers_fault(status) || error.reason == Reason::not_offered) {
    status = 422;
    type = "validation";
    said = "Input validation error: " + message;
  } else if (status == 429) {
    type = "overloaded";
    said = "Model is overloaded";
  } else if (status == 503) {
    type = "healthcheck";
    said = message;
  } else if (status < 500) {
    type = "validation";
    said = message;
  }
  return {.status = status, .body = {{"error", std::move(said)}, {"error_type", type}}};
}

ServingError llama_error(const Error& error, const std::string& message) {
  int status = row_of(error).http_status;
  std::string_view type = "server_error";
  if (error.reason == Reason::input_too_long) {
    status = 400;
    type = "exceed_context_size_error";
  } else if (error.reason == Reason::model_unsupported) {
    status = 501;
    type = "not_supported_error";
  } else if (callers_fault(status) || error.reason == Reason::not_offered) {
    status = 400;
    type = "invalid_request_error";
  } else if (status == 401) {
    type = "authentication_error";
  } else if (status == 403) {
    type = "permission_error";
  } else if (status == 404) {
    type = "not_found_error";
  } else if (status == 503 || status == 429) {
    type = "unavailable_error";
  }
  return {.status = status,
          .body = {{"error", json::object{{"code", status}, {"message", message}, {"type", type}}}}};
}

ServingError kserve_error(const Error& error, const std::string& message) {
  const int status = row_of(error).http_status;
  const bool plain = status == 413 || status == 422 || error.reason == Reason::not_offered;
  return {.status = plain ? 400 : status, .body = {{"error", message}}};
}

}  // namespace holdfast::api
