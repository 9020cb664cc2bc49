#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <condition_variable>
#include <mutex>

#include "api/error_answer.h"
#include "api/openai_routes.h"
#include "api/served_model.h"
#include "base/random.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = 8 << 20;
constexpr size_t unsent_bytes_max = 4 << 20;  // Of a reader that is slower than the model.
constexpr std::chrono::milliseconds look_again{200};

enum class Style : uint8_t { chat, text };

struct Wish {
  std::string model, id;
  int64_t created = 0;
  Style style = Style::chat;
  bool streams = false, with_usage = false;
};

// One answer's objects as the openai clients know them.
class Shape {
 public:
  explicit Shape(Wish wish) : wish_(std::move(wish)) {}

  const Wish& wish() const { return wish_; }

  // A choice without an end has none: its finish_reason is null.
  std::string chunk(std::string_view text, std::string_view extra, std::string_view end) const {
    json::object choice{{"index", 0}};
    if (wish_.style == Style::chat)
      choice["delta"] = text.empty() && !end.empty() ? json::object{} : json::object{{"content", text}};
    else
      choice["text"] = text;
    return written(std::move(choice), extra, end);
  }
  // What a chat begins with.
  std::string opening() const {
    return written({{"index", 0}, {"delta", json::object{{"role", "assistant"}, {"content", ""}}}}, {}, {});
  }
  std::string usage_chunk(const serve::GenerateEvent::End& end) const {
    json::object out = head(json::array{});
    out["usage"] = usage(end);
    return codec::to_text(out);
  }
  json::object whole(std::string_view text, json::array log_probabilities, bool with_log_probabilities,
                     const serve::GenerateEvent::End& end) const {
    json::object choice{{"index", 0}, {"finish_reason", end.reason}, {"logprobs", nullptr}};
    if (with_log_probabilities) choice["logprobs"] = json::object{{"content", std::move(log_probabilities)}};
    if (wish_.style == Style::chat)
      choice["message"] = json::object{{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
    else
      choice["text"] = text;
    json::array choices;
    choices.push_back(std::move(choice));
    json::object out = head(std::move(choices), "");
    out["usage"] = usage(end);
    return out;
  }

 private:
  static json::object usage(const serve::GenerateEvent::End& end) {
    return {{"prompt_tokens", end.prompt_tokens},
            {"completion_tokens", end.new_tokens},
            {"total_tokens", int64_t{end.prompt_tokens} + end.new_tokens}};
  }
  json::object head(json::array choices, std::string_view ending = ".chunk") const {
    const std::string object =
        wish_.style == Style::chat ? fmt::format("chat.completion{}", ending) : "text_completion";
    return {{"id", wish_.id},
            {"object", object},
            {"created", wish_.created},
            {"model", wish_.model},
            {"choices", std::move(choices)}};
  }
  std::string written(json::object choice, std::string_view extra, std::string_view end) const {
    choice["logprobs"] = nullptr;
    if (auto list = codec::parse_json(extra); !extra.empty() && list.ok())
      choice["logprobs"] = json::object{{"content", std::move(list).value()}};
    choice["finish_reason"] = end.empty() ? json::value(nullptr) : json::value(end);
    json::array choices;
    choices.push_back(std::move(choice));
    json::object out = head(std::move(choices));
    if (wish_.with_usage) out["usage"] = nullptr;
    return codec::to_text(out);
  }

  const Wish wish_;
};

// An answer on its way from the model's thread to the one that waits, or straight into the body that is sent.
// Shared by those two.
class Exchange {
 public:
  Exchange(Shape shape, const Clock& clock) : shape_(std::move(shape)), clock_(clock) {
    if (shape_.wish().streams) body_ = net::make_pushed_body(unsent_bytes_max);
  }

  // On the model's thread.
  bool take(const serve::GenerateEvent& event) {
    std::lock_guard lock(mutex_);
    if (left_) return false;
    if (event.error) error_ = event.error;
    if (event.end) end_ = event.end;
    const bool first = !begun_;
    begun_ = true;
    changed_.notify_all();
    if (!shape_.wish().streams) return keep(event);
    if (event.error && first) return false;  // Becomes the answer itself.
    return send(event, first);
  }

  // Until it is sure what the answer's head is: the first event of a stream, the last one else.
  Result<net::Response> wait(const Context& context) {
    std::unique_lock lock(mutex_);
    const bool streams = shape_.wish().streams;
    const auto ready = [&] { return error_ || end_ || (streams && begun_); };
    while (!ready()) {
      if (context.stop.stop_requested() || clock_.now() >= context.deadline) {
        left_ = true;
        if (context.stop.stop_requested()) return fail(Reason::client_gone, "the client left");
        return fail(Reason::timed_out, "the model did not answer in time: ask for fewer tokens, or stream");
      }
      changed_.wait_for(lock, context.stop, look_again, ready);
    }
    if (streams && (!error_ || sent_)) {
      net::Response out;
      out.headers.set("Content-Type", "text/event-stream; charset=utf-8");
      out.headers.set("Cache-Control", "no-cache");
      out.body = body_;
      return out;
    }
    if (error_) return *error_;
    return json_answer(shape_.whole(text_, std::move(log_probabilities_), any_log_probabilities_, *end_));
  }

 private:
  bool keep(const serve::GenerateEvent& event) {
    text_ += event.text;
    if (event.extra.empty()) return true;
    any_log_probabilities_ = true;
    if (auto list = codec::parse_json(event.extra); list.ok() && list.value().is_array())
      for (json::value& one : list.value().get_array()) log_probabilities_.push_back(std::move(one));
    return true;
  }

  bool push(std::string_view data) { return body_->push(net::sse_event("", data)).ok(); }

  bool send(const serve::GenerateEvent& event, bool first) {
    sent_ = true;
    if (first && shape_.wish().style == Style::chat && !push(shape_.opening())) return false;
    if (event.error) {
      const ReasonRow& row = reason_row(event.error->code, event.error->reason);
      push(codec::to_text(json::object{
          {"error", json::object{{"message", event.error->message},
                                 {"type", row.http_status >= 500 ? "server_error" : "invalid_request_error"},
                                 {"code", row.name},
                                 {"param", nullptr}}}}));
      body_->close();
      return false;
    }
    if (!event.text.empty() || !event.extra.empty())
      if (!push(shape_.chunk(event.text, event.extra, ""))) return false;
    if (!event.end) return true;
    push(shape_.chunk("", "", event.end->reason));
    if (shape_.wish().with_usage) push(shape_.usage_chunk(*event.end));
    push("[DONE]");
    body_->close();
    return true;
  }

  const Shape shape_;
  const Clock& clock_;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable_any changed_;
  std::shared_ptr<net::PushedBody> body_;  // Of a stream.
  bool begun_ = false, sent_ = false, left_ = false;
  std::optional<Error> error_;
  std::optional<serve::GenerateEvent::End> end_;
  std::string text_;
  json::array log_probabilities_;
  bool any_log_probabilities_ = false;
};

Result<Wish> read_wish(Services& services, const json::object& body, Style style) {
  Wish wish;
  wish.style = style;
  TRY(const std::string_view model, codec::json_text(body, "model"));
  wish.model = model;
  TRY(const auto streams, codec::json_flag_if(body, "stream"));
  wish.streams = streams.value_or(false);
  TRY(const json::object* options, codec::json_object_if(body, "stream_options"));
  if (options != nullptr) {
    if (!wish.streams) return fail(Reason::bad_request, "'stream_options' is for streams");
    TRY(const auto usage, codec::json_flag_if(*options, "include_usage"));
    wish.with_usage = usage.value_or(false);
  }
  wish.id = (style == Style::chat ? "chatcmpl-" : "cmpl-") + services.random.hex(12);
  wish.created =
      std::chrono::duration_cast<std::chrono::seconds>(services.clock.wall().time_since_epoch()).count();
  return wish;
}

Result<net::Response> complete(Services& services, serve::Models& models, const Call& call, Style style) {
  TRY(json::object body, codec::parse_json_object(call.request.body));
  TRY(Wish wish, read_wish(services, body, style));
  TRY(const serve::ServedModel model, find_served_model(services, call, wish.model));
  const std::string_view wanted = style == Style::chat ? "messages" : "prompt";
  if (!body.contains(wanted)) return fail(Reason::bad_request, fmt::format("'{}' is missing", wanted));
  for (const char* key : {"model", "stream", "stream_options"}) body.erase(key);
  const auto exchange = std::make_shared<Exchange>(Shape(std::move(wish)), services.clock);
  TRY_DONE(models.generate(call.context, model,
                           {codec::to_text(body), [exchange](const serve::GenerateEvent& event) {
                              return exchange->take(event);
                            }}));
  return exchange->wait(call.context);
}

}  // namespace

void add_completion_routes(RouteTable& table, Services& services, serve::Models& models) {
  struct Door {
    const char* pattern;
    const char* name;
    Style style;
  };
  static constexpr Door doors[] = {{"/v1/chat/completions", "openai_chat", Style::chat},
                                   {"/v1/completions", "openai_completions", Style::text}};
  for (const auto& [pattern, name, style] : doors)
    table.add({"POST", pattern, name, Access::signed_in, body_bytes_max,
               CallHandler([&services, &models, door = style](const Call& call) {
                 return complete(services, models, call, door);
               }),
               Dialect::openai});
}

}  // namespace holdfast::api
