#include "client/client.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <condition_variable>
#include <mutex>

#include "base/reason.h"
#include "codec/json.h"

namespace holdfast::client {
namespace {

namespace json = boost::json;

void sleep_here(std::chrono::milliseconds span, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, span, [] { return false; });
}

Error refusal(const net::ClientResponse& answer) {
  std::string message(answer.headers.get("X-Error-Message"));
  if (message.empty()) message = fmt::format("the server answered with status {}", answer.status);
  for (const ReasonRow& row : reasons())
    if (!row.error_code.empty() && row.error_code == answer.headers.get("X-Error-Code"))
      return Error{row.code, row.reason, std::move(message), {}};
  if (answer.status == 429) return fail(Code::busy, std::move(message));
  if (answer.status >= 500) return fail(Code::unavailable, std::move(message));
  return fail(answer.status == 404 ? Code::not_found : Code::invalid, std::move(message));
}

class HttpClient final : public Client {
 public:
  HttpClient(Options options, const World& world) : options_(std::move(options)), world_(world) {
    while (options_.endpoint.ends_with('/')) options_.endpoint.pop_back();
  }

  Result<Answer> ask(const Question& question, const Context& context) override {
    net::ClientRequest request;
    request.method = question.method;
    request.url = options_.endpoint + question.path;
    if (!question.body.empty()) request.headers.set("Content-Type", question.content_type);
    if (!options_.token.empty()) request.headers.set("Authorization", "Bearer " + options_.token.reveal());
    request.body = question.body;
    request.timeout = options_.timeout;
    const Repeatable repeatable =
        question.repeatable == Repeatable::yes ? Repeatable::yes : repeatable_method(question.method);
    for (int attempt = 1;; ++attempt) {
      auto sent = world_.http.send(request, context);
      if (sent.ok() && sent.value().status < 400)
        return Answer{sent.value().status, std::move(sent.value().headers), std::move(sent.value().body),
                      attempt};
      const Error error = sent.ok() ? refusal(sent.value()) : sent.error();
      if (!sent.ok() && !is_of_the_network(error)) return error;
      const auto pause =
          retry_pause(options_.retries, repeatable, attempt, sent.ok() ? sent.value().status : 0,
                      sent.ok() ? sent.value().headers.get("Retry-After") : std::string_view(),
                      world_.clock.wall(), world_.random);
      if (!pause || context.deadline - *pause <= world_.clock.now()) return error;
      if (world_.sleep)
        world_.sleep(*pause, context.stop);
      else
        sleep_here(*pause, context.stop);
      if (context.stop.stop_requested()) return fail(Reason::client_gone, "the caller left");
    }
  }

 private:
  static bool is_of_the_network(const Error& error) {
    return error.reason == Reason::dependency_failed || error.reason == Reason::timed_out;
  }

  Options options_;
  const World world_;
};

Result<json::value> ask_model(Client& client, std::string path, const json::object& body,
                              const Context& context) {
  TRY(const Answer answer, client.ask({.method = "POST",
                                       .path = std::move(path),
                                       .body = codec::to_text(body),
                                       .repeatable = Repeatable::yes},
                                      context));
  return codec::parse_json(answer.body);
}

Error unexpected() {
  return fail(Reason::dependency_failed, "the server's answer is not what was asked for");
}

}  // namespace

Result<std::vector<std::vector<float>>> Client::embed(std::string_view model,
                                                      const std::vector<std::string>& texts,
                                                      const Context& context) {
  json::array input;
  for (const std::string& text : texts) input.emplace_back(text);
  TRY(const json::value answer,
      ask_model(*this, "/v1/embeddings",
                {{"model", model}, {"input", std::move(input)}, {"encoding_format", "float"}}, context));
  if (!answer.is_object()) return unexpected();
  TRY(const json::array* data, codec::json_array(answer.get_object(), "data"));
  std::vector<std::vector<float>> out;
  for (const json::value& row : *data) {
    if (!row.is_object()) return unexpected();
    TRY(const json::array* numbers, codec::json_array(row.get_object(), "embedding"));
    std::vector<float> vector;
    for (const json::value& number : *numbers) {
      if (!number.is_number()) return unexpected();
      vector.push_back(number.to_number<float>());
    }
    out.push_back(std::move(vector));
  }
  return out.size() == texts.size() ? Result(std::move(out))
                                    : Result<std::vector<std::vector<float>>>(unexpected());
}

Result<json::value> Client::run_task(std::string_view model, const json::value& inputs,
                                     const json::object& parameters, const Context& context) {
  return ask_model(*this, fmt::format("/models/{}", model), {{"inputs", inputs}, {"parameters", parameters}},
                   context);
}

Result<std::string> Client::chat(std::string_view model, const json::array& messages,
                                 const json::object& settings, const Context& context) {
  json::object body = settings;
  body.erase("stream");
  body["model"] = model;
  body["messages"] = messages;
  TRY(const json::value answer, ask_model(*this, "/v1/chat/completions", body, context));
  if (!answer.is_object()) return unexpected();
  TRY(const json::array* choices, codec::json_array(answer.get_object(), "choices"));
  if (choices->empty() || !choices->front().is_object()) return unexpected();
  TRY(const json::object* message, codec::json_object(choices->front().get_object(), "message"));
  TRY(const auto content, codec::json_text_if(*message, "content"));
  return std::string(content.value_or(""));
}

std::unique_ptr<Client> make_client(Options options, const World& world) {
  return std::make_unique<HttpClient>(std::move(options), world);
}

}  // namespace holdfast::client
