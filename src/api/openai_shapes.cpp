#include "api/openai_shapes.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/openai_service.h"
#include "api/serving_error.h"
#include "base/utf8.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using serve::GenerateEvent;
using serve::WrittenToken;
using Style = CompletionShape::Style;

// A token's text; one that is no whole character by its bytes, as OpenAI writes them.
std::string shown(const std::string& text) {
  if (is_utf8(text)) return text;
  std::string out = "bytes:";
  for (const char byte : text) out += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
  return out;
}

json::object chat_token(const std::string& text, float log_probability) {
  json::array bytes;
  for (const char byte : text) bytes.push_back(static_cast<uint8_t>(byte));
  return {{"token", shown(text)}, {"logprob", log_probability}, {"bytes", std::move(bytes)}};
}

size_t characters(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) count += (static_cast<uint8_t>(byte) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

// Log-probabilities of a choice's tokens, in the form of its style.
class LogProbabilities {
 public:
  explicit LogProbabilities(Style style) : style_(style) {}

  bool empty() const { return tokens_.empty(); }
  void add(const WrittenToken& token) {
    if (style_ == Style::chat) {
      tokens_.push_back(chat_token_score(token));
      return;
    }
    tokens_.emplace_back(shown(token.text));
    values_.push_back(token.log_probability ? json::value(*token.log_probability) : json::value(nullptr));
    json::object others;
    for (const WrittenToken::Other& other : token.others) others[shown(other.text)] = other.log_probability;
    // The chosen one is always among them.
    if (token.log_probability && !token.others.empty()) others[shown(token.text)] = *token.log_probability;
    others_.push_back(token.log_probability ? json::value(std::move(others)) : json::value(nullptr));
    offsets_.emplace_back(offset_);
    offset_ += characters(token.text);
  }
  // What was added since the last time.
  json::value take() {
    if (style_ == Style::chat)
      return json::object{{"content", std::exchange(tokens_, {})}, {"refusal", nullptr}};
    return json::object{{"tokens", std::exchange(tokens_, {})},
                        {"token_logprobs", std::exchange(values_, {})},
                        {"top_logprobs", std::exchange(others_, {})},
                        {"text_offset", std::exchange(offsets_, {})}};
  }

 private:
  const Style style_;
  json::array tokens_, values_, others_, offsets_;
  size_t offset_ = 0;
};

json::object call_part(const serve::ToolCallPart& part) {
  json::object out{{"index", part.index}};
  json::object function;
  if (!part.name.empty()) {
    out["id"] = part.id;
    out["type"] = "function";
    function["name"] = part.name;
  }
  function["arguments"] = part.arguments;
  out["function"] = std::move(function);
  return out;
}

struct Choice {
  explicit Choice(Style style) : log_probabilities(style) {}
  LogProbabilities log_probabilities;
  bool opened = false;
  std::string text, reasoning, reason;
  std::vector<serve::ToolCallPart> calls;
};

class OpenAiForm final : public AnswerForm {
 public:
  explicit OpenAiForm(CompletionShape shape) : shape_(std::move(shape)) {
    for (size_t i = 0; i < shape_.choices; ++i) choices_.emplace_back(shape_.style);
  }

  bool streams() const override { return shape_.streams; }

  std::string piece(size_t index, const GenerateEvent& event) override {
    Choice& choice = choices_[index];
    note(index, event);
    std::string out;
    if (shape_.style == Style::chat && !choice.opened)
      out += chunk(index, json::object{{"role", "assistant"}, {"content", ""}}, nullptr, nullptr);
    choice.opened = true;
    const bool says = !event.text.empty() || !event.reasoning.empty() || !event.calls.empty() ||
                      !choice.log_probabilities.empty();
    if (says) {
      json::value log_probabilities;
      if (shape_.with_log_probabilities) log_probabilities = choice.log_probabilities.take();
      out += chunk(index, content(event), std::move(log_probabilities), nullptr);
    }
    if (event.end) {
      json::value last = shape_.style == Style::chat ? json::value(json::object()) : json::value("");
      out += chunk(index, std::move(last), nullptr, json::value(reason(event.end->reason)));
    }
    return out;
  }

  std::string ending() override {
    std::string out;
    if (shape_.with_usage) {
      json::object last = head(json::array(), ".chunk");
      last["usage"] = usage();
      out += net::sse_event("", codec::to_text(last));
    }
    return out + net::sse_event("", "[DONE]");
  }

  std::string failure(const Error& error) override {
    return net::sse_event("", codec::to_text(openai_error(error, error.message).body));
  }

  void keep(size_t index, const GenerateEvent& event) override {
    Choice& choice = choices_[index];
    note(index, event);
    choice.text += event.text;
    choice.reasoning += event.reasoning;
    for (const serve::ToolCallPart& part : event.calls) {
      if (part.index >= choice.calls.size()) choice.calls.resize(part.index + 1);
      serve::ToolCallPart& whole = choice.calls[part.index];
      if (!part.name.empty()) {
        whole.id = part.id;
        whole.name = part.name;
      }
      whole.arguments += part.arguments;
    }
    if (event.end) choice.reason = reason(event.end->reason);
  }

  Result<net::Response> whole() override {
    json::array all;
    for (size_t i = 0; i < choices_.size(); ++i) {
      Choice& choice = choices_[i];
      json::object out{{"index", i}};
      if (shape_.style == Style::chat)
        out["message"] = message(choice);
      else
        out["text"] = choice.text;
      out["logprobs"] =
          shape_.with_log_probabilities ? choice.log_probabilities.take() : json::value(nullptr);
      out["finish_reason"] = choice.reason;
      all.push_back(std::move(out));
    }
    json::object out = head(std::move(all), "");
    out["usage"] = usage();
    return json_answer(out);
  }

 private:
  static std::string reason(const std::string& said) { return said == "stop_sequence" ? "stop" : said; }

  void note(size_t index, const GenerateEvent& event) {
    Choice& choice = choices_[index];
    if (shape_.with_log_probabilities) {
      for (const WrittenToken& token : event.prompt) choice.log_probabilities.add(token);
      for (const WrittenToken& token : event.tokens)
        if (!token.special) choice.log_probabilities.add(token);
    }
    if (!event.end) return;
    if (index % shape_.choices_a_prompt == 0) prompt_tokens_ += event.end->prompt_tokens;
    new_tokens_ += event.end->new_tokens;
  }

  json::value content(const GenerateEvent& event) const {
    if (shape_.style == Style::text) return json::value(event.text);
    json::object delta;
    if (!event.reasoning.empty()) delta["reasoning_content"] = event.reasoning;
    if (!event.text.empty() || (event.reasoning.empty() && event.calls.empty()))
      delta["content"] = event.text;
    if (!event.calls.empty()) {
      json::array calls;
      for (const serve::ToolCallPart& part : event.calls) calls.push_back(call_part(part));
      delta["tool_calls"] = std::move(calls);
    }
    return delta;
  }

  static json::object message(const Choice& choice) {
    json::object out{{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}};
    if (!choice.reasoning.empty()) out["reasoning_content"] = choice.reasoning;
    if (choice.calls.empty()) return out;
    if (choice.text.empty()) out["content"] = nullptr;
    json::array calls;
    for (const serve::ToolCallPart& call : choice.calls)
      calls.push_back(
          json::object{{"id", call.id},
                       {"type", "function"},
                       {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}}});
    out["tool_calls"] = std::move(calls);
    return out;
  }

  json::object usage() const {
    return {{"prompt_tokens", prompt_tokens_},
            {"completion_tokens", new_tokens_},
            {"total_tokens", prompt_tokens_ + new_tokens_}};
  }

  json::object head(json::array choices, std::string_view ending) const {
    json::object out{{"id", shape_.id},
                     {"object", shape_.style == Style::chat ? fmt::format("chat.completion{}", ending)
                                                            : std::string("text_completion")},
                     {"created", shape_.created},
                     {"model", shape_.model},
                     {"system_fingerprint", shape_.fingerprint},
                     {"choices", std::move(choices)}};
    if (shape_.with_tier) out["service_tier"] = service_tier;
    return out;
  }

  std::string chunk(size_t index, json::value content, json::value log_probabilities, json::value end) const {
    json::array choices;
    choices.push_back(json::object{{"index", index},
                                   {shape_.style == Style::chat ? "delta" : "text", std::move(content)},
                                   {"logprobs", std::move(log_probabilities)},
                                   {"finish_reason", std::move(end)}});
    json::object out = head(std::move(choices), ".chunk");
    if (shape_.with_usage) out["usage"] = nullptr;
    return net::sse_event("", codec::to_text(out));
  }

  const CompletionShape shape_;
  std::vector<Choice> choices_;
  uint64_t prompt_tokens_ = 0, new_tokens_ = 0;
};

}  // namespace

json::object chat_token_score(const WrittenToken& token) {
  json::object out = chat_token(token.text, token.log_probability.value_or(0));
  json::array others;
  for (const WrittenToken::Other& other : token.others)
    others.push_back(chat_token(other.text, other.log_probability));
  out["top_logprobs"] = std::move(others);
  return out;
}

std::unique_ptr<AnswerForm> make_openai_form(CompletionShape shape) {
  return std::make_unique<OpenAiForm>(std::move(shape));
}

}  // namespace holdfast::api
