// How the server itself asks what a batch holds: by its own doors, with its caller's rights.
#include "job/request_asker.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <cmath>

#include "api/engine_stream.h"
#include "api/error_answer.h"
#include "api/job_routes.h"
#include "api/served_answer.h"
#include "api/served_note.h"
#include "api/services.h"
#include "base/reason.h"
#include "codec/json.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

// What a batch may ask. Of a model's own address its tasks too.
constexpr std::string_view asked_doors[] = {
    "openai_chat",       "openai_completions", "openai_embeddings", "openai_responses", "openai_moderations",
    "cohere_rerank_v1",  "model_chat",         "model_completions", "model_embeddings", "model_responses",
    "model_moderations", "task_model",         "task_predict",      "tei_embed",        "tei_rerank"};

using Captures = std::vector<std::pair<std::string, std::string>>;

// A row whose pattern is plain words and captures of one segment.
bool matches(std::string_view pattern, std::string_view path, Captures& captures) {
  captures.clear();
  while (!pattern.empty() && !path.empty()) {
    if (pattern.front() != '/' || path.front() != '/') return false;
    pattern.remove_prefix(1);
    path.remove_prefix(1);
    const std::string_view word = pattern.substr(0, pattern.find('/'));
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty()) return false;
    if (word.starts_with('{'))
      captures.emplace_back(word.substr(1, word.size() - 2), segment);
    else if (word != segment)
      return false;
    pattern.remove_prefix(word.size());
    path.remove_prefix(segment.size());
  }
  return pattern.empty() && path.empty();
}

class DoorAsker final : public job::RequestAsker {
 public:
  DoorAsker(const RouteTable& table, Services& services) : table_(table), services_(services) {}

  bool answers(const std::string& endpoint) const override {
    Captures captures;
    return find(endpoint, captures) != nullptr;
  }

  job::Asked ask(const Context& context, const identity::Caller& caller, const std::string& endpoint,
                 const std::string& body) override {
    net::Request request;
    request.method = "POST";
    request.target = endpoint;
    request.headers.set("Content-Type", "application/json");
    request.headers.set("Host", "localhost");
    request.headers.set("X-Holdfast-Priority", "low");  // People who wait go first.
    request.body = body;
    const ApiRoute* row = find(endpoint, request.captures);
    if (row == nullptr)
      return told(request, Dialect::openai, fail(Reason::not_offered, "this is not answered here"), context);
    const auto note = std::make_shared<ServedNote>();  // Shared with the call's copies.
    note->route = row->pattern;
    if (services_.guards != nullptr && services_.guards->retention == serve::Guards::Retention::none)
      note->retention = ServedNote::Retention::none;
    if (asks_for_stream({}, body))
      return told(request, row->dialect, fail(Reason::bad_request, "'stream' is not for batches"), context);
    const Call call{.request = request,
                    .context = context,
                    .caller = caller,
                    .type = {},
                    .found = {},
                    .base_url = services_.public_url,
                    .served = note};
    auto answer = answer_and_tell(services_, row->name, call, std::get<CallHandler>(row->handle));
    const Dialect dialect = note->dialect.value_or(row->dialect);
    job::Asked out = answer.ok() ? written(answer.value()) : told(request, dialect, answer.error(), context);
    add_cost(note->work, out);
    return out;
  }

 private:
  const ApiRoute* find(std::string_view endpoint, Captures& captures) const {
    for (const ApiRoute& row : table_.routes())
      if (row.method == "POST" && std::holds_alternative<CallHandler>(row.handle) &&
          std::find(std::begin(asked_doors), std::end(asked_doors), row.name) != std::end(asked_doors) &&
          matches(row.pattern, endpoint, captures))
        return &row;
    return nullptr;
  }

  static job::Asked told(const net::Request& request, Dialect dialect, const Error& error,
                         const Context& context) {
    job::Asked out = written(error_answer(dialect, request, error, context));
    out.later = reason_row(error.code, error.reason).retryable;
    return out;
  }

  void add_cost(const serve::Work& work, job::Asked& out) const {
    const double seconds = std::chrono::duration<double>(work.busy).count();
    const double price = services_.guards == nullptr ? 0 : services_.guards->price_per_second;
    out.tokens_written = static_cast<int64_t>(work.written_tokens);
    out.tokens_read = static_cast<int64_t>(work.tokens) - out.tokens_written;
    out.worker_us = std::llround(seconds * 1e6);
    out.cost_nano = std::llround(seconds * price * 1e9);
  }

  // One line of JSON, whatever an outside engine said.
  static job::Asked written(const net::Response& response) {
    const auto* text = std::get_if<std::string>(&response.body);
    const auto value = text == nullptr ? Result<boost::json::value>(fail(Code::internal, "streamed"))
                                       : codec::parse_json(*text);
    return {.status = response.status,
            .body = value.ok() ? codec::to_text(value.value()) : "null",
            .later = response.status == 429 || response.status == 503};
  }

  const RouteTable& table_;
  Services& services_;
};

}  // namespace

std::unique_ptr<job::RequestAsker> make_request_asker(const RouteTable& table, Services& services) {
  return std::make_unique<DoorAsker>(table, services);
}

}  // namespace holdfast::api
