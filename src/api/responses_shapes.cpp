#include "api/responses_shapes.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "api/error_answer.h"
#include "api/openai_shapes.h"
#include "api/responses_call.h"
#include "api/serving_error.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using serve::GenerateEvent;

enum class Kind : uint8_t { reasoning, message, call };

// The item that is being written.
struct Item {
  Kind kind = Kind::message;
  std::string id{}, text{};             // Of a call: its arguments.
  std::string call_id{}, name{};        // Of a call.
  std::optional<uint32_t> number = {};  // Of a call: the model's own count.
  json::array scores{};                 // Of a message.
};

class ResponsesForm final : public AnswerForm {
 public:
  explicit ResponsesForm(ResponsesShape shape) : shape_(std::move(shape)) {}

  bool streams() const override { return shape_.streams; }

  std::string piece(size_t, const GenerateEvent& event) override {
    out_.clear();
    take(event);
    return std::move(out_);
  }
  std::string ending() override { return {}; }  // Said with the last event.
  std::string failure(const Error& error) override {
    out_.clear();
    begin();
    json::object said = openai_error(error, error.message).body.at("error").get_object();
    json::object response = object("failed");
    response["error"] = json::object{{"code", "server_error"}, {"message", said.at("message")}};
    send("response.failed", {{"response", std::move(response)}});
    return std::move(out_);
  }
  void keep(size_t, const GenerateEvent& event) override {
    take(event);
    out_.clear();
  }
  Result<net::Response> whole() override { return json_answer(object(status())); }

 private:
  void take(const GenerateEvent& event) {
    begin();
    if (!event.reasoning.empty()) write(Kind::reasoning, event.reasoning, {});
    json::array scores;
    if (shape_.with_log_probabilities)
      for (const serve::WrittenToken& token : event.tokens)
        if (!token.special) scores.push_back(chat_token_score(token));
    if (!event.text.empty() || !scores.empty()) write(Kind::message, event.text, std::move(scores));
    for (const serve::ToolCallPart& part : event.calls) call(part);
    if (event.end) finish(*event.end);
  }

  void begin() {
    if (sequence_ > 0) return;
    send("response.created", {{"response", object("in_progress")}});
    send("response.in_progress", {{"response", object("in_progress")}});
  }

  void write(Kind kind, const std::string& text, json::array scores) {
    if (!item_ || item_->kind != kind) open({.kind = kind});
    item_->text += text;
    json::object delta = place();
    delta["content_index"] = 0;
    delta["delta"] = text;
    if (kind == Kind::message) {
      for (const json::value& score : scores) item_->scores.push_back(score);
      delta["logprobs"] = std::move(scores);
    }
    send(kind == Kind::message ? "response.output_text.delta" : "response.reasoning_text.delta",
         std::move(delta));
  }

  void call(const serve::ToolCallPart& part) {
    if (!item_ || item_->number != part.index)
      open({.kind = Kind::call, .call_id = part.id, .name = part.name, .number = part.index});
    if (part.arguments.empty()) return;
    item_->text += part.arguments;
    json::object delta = place();
    delta["delta"] = part.arguments;
    send("response.function_call_arguments.delta", std::move(delta));
  }

  void open(Item item) {
    close("completed");
    static constexpr const char* prefixes[] = {"rs", "msg", "fc"};
    item.id = fmt::format("{}_{}{}", prefixes[static_cast<size_t>(item.kind)],
                          std::string_view(shape_.id).substr(shape_.id.find('_') + 1), output_.size());
    item_ = std::move(item);
    send("response.output_item.added",
         {{"output_index", output_.size()}, {"item", written("in_progress", false)}});
    if (item_->kind == Kind::call) return;
    json::object part = place();
    part["content_index"] = 0;
    part["part"] = content(false);
    send("response.content_part.added", std::move(part));
  }

  void close(std::string_view status) {
    if (!item_) return;
    json::object done = place();
    if (item_->kind == Kind::call) {
      done["name"] = item_->name;
      done["arguments"] = item_->text;
      send("response.function_call_arguments.done", std::move(done));
    } else {
      done["content_index"] = 0;
      json::object part = done;
      done["text"] = item_->text;
      if (item_->kind == Kind::message) done["logprobs"] = item_->scores;
      send(item_->kind == Kind::message ? "response.output_text.done" : "response.reasoning_text.done",
           std::move(done));
      part["part"] = content(true);
      send("response.content_part.done", std::move(part));
    }
    json::object item = written(status, true);
    send("response.output_item.done", {{"output_index", output_.size()}, {"item", item}});
    output_.push_back(std::move(item));
    item_.reset();
  }

  void finish(const GenerateEvent::End& end) {
    if (!item_ && output_.empty()) open({.kind = Kind::message});
    end_ = end;
    close(cut() ? "incomplete" : "completed");
    send(fmt::format("response.{}", status()), {{"response", object(status())}});
  }

  bool cut() const { return end_ && end_->reason == "length"; }
  std::string_view status() const { return cut() ? "incomplete" : "completed"; }

  // Where in the output the open item stands.
  json::object place() const { return {{"item_id", item_->id}, {"output_index", output_.size()}}; }

  json::object content(bool whole) const {
    const std::string_view text = whole ? std::string_view(item_->text) : std::string_view();
    if (item_->kind == Kind::reasoning) return {{"type", "reasoning_text"}, {"text", text}};
    return {{"type", "output_text"},
            {"text", text},
            {"annotations", json::array()},
            {"logprobs", whole ? item_->scores : json::array()}};
  }

  json::object written(std::string_view status, bool whole) const {
    json::object out{{"id", item_->id}};
    if (item_->kind == Kind::call) {
      out["type"] = "function_call";
      out["call_id"] = item_->call_id;
      out["name"] = item_->name;
      out["arguments"] = whole ? std::string_view(item_->text) : std::string_view();
      out["status"] = status;
      return out;
    }
    json::array parts;
    if (whole) parts.push_back(content(true));
    out["type"] = item_->kind == Kind::message ? "message" : "reasoning";
    out["status"] = status;
    if (item_->kind == Kind::message)
      out["role"] = "assistant";
    else
      out["summary"] = json::array();
    out["content"] = std::move(parts);
    return out;
  }

  json::object object(std::string_view status) const {
    json::object out{{"id", shape_.id},
                     {"object", "response"},
                     {"created_at", shape_.created},
                     {"status", status},
                     {"background", false},
                     {"error", nullptr},
                     {"incomplete_details", nullptr},
                     {"model", shape_.model},
                     {"output", output_},
                     {"previous_response_id", nullptr},
                     {"store", false},
                     {"truncation", "disabled"},
                     {"usage", nullptr}};
    for (const auto& [key, value] : shape_.echoed) out[key] = value;
    if (status == "incomplete") out["incomplete_details"] = json::object{{"reason", "max_output_tokens"}};
    if (end_)
      out["usage"] = json::object{
          {"input_tokens", end_->prompt_tokens},
          {"input_tokens_details", json::object{{"cached_tokens", 0}, {"cache_write_tokens", 0}}},
          {"output_tokens", end_->new_tokens},
          {"output_tokens_details", json::object{{"reasoning_tokens", 0}}},
          {"total_tokens", uint64_t{end_->prompt_tokens} + end_->new_tokens}};
    return out;
  }

  void send(std::string_view type, json::object event) {
    json::object out{{"type", type}, {"sequence_number", sequence_++}};
    if (!shape_.streams) return;
    for (auto& [key, value] : event) out[key] = std::move(value);
    out_ += net::sse_event(type, codec::to_text(out));
  }

  const ResponsesShape shape_;
  json::array output_;  // Items that are closed.
  std::optional<Item> item_;
  std::optional<GenerateEvent::End> end_;
  uint64_t sequence_ = 0;
  std::string out_;
};

}  // namespace

std::unique_ptr<AnswerForm> make_responses_form(ResponsesShape shape) {
  return std::make_unique<ResponsesForm>(std::move(shape));
}

}  // namespace holdfast::api
