#include "api/responses_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "api/openai_service.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr size_t items_max = 4096;

Error wrong(std::string_view key, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("'{}' {}", key, what));
}
Error unoffered(std::string_view key, std::string_view what) {
  return fail(Reason::not_offered, fmt::format("'{}' {}", key, what));
}

// A text, or parts that are texts, as one text.
Result<std::string> text_of(const json::object& item, std::string_view key) {
  const json::value* content = item.if_contains(key);
  if (content == nullptr || content->is_null())
    return wrong("input", fmt::format("has an item without '{}'", key));
  if (content->is_string()) return std::string(content->get_string());
  if (!content->is_array())
    return wrong("input", fmt::format("has '{}' that is no text and no list of parts", key));
  std::string out;
  for (const json::value& part : content->get_array()) {
    if (!part.is_object()) return wrong("input", "has a part that is no object");
    TRY(const std::string_view type, codec::json_text(part.get_object(), "type"));
    if (type == "refusal") {
      TRY(const std::string_view refusal, codec::json_text(part.get_object(), "refusal"));
      out += refusal;
      continue;
    }
    if (type != "input_text" && type != "output_text" && type != "text")
      return unoffered("input", fmt::format("may have parts of text here, not '{}'", type.substr(0, 40)));
    TRY(const std::string_view text, codec::json_text(part.get_object(), "text"));
    out += text;
  }
  return out;
}

// The items of an input become messages; calls of tools that follow each other are one message.
class Messages {
 public:
  void say(std::string_view role, std::string text) {
    messages_.push_back(json::object{{"role", role}, {"content", std::move(text)}});
    calling_ = false;
  }

  Status add(const json::object& item) {
    TRY(const auto given, codec::json_text_if(item, "type"));
    const std::string_view type = given.value_or("message");
    if (type == "message") {
      TRY(const std::string_view role, codec::json_text(item, "role"));
      if (role != "user" && role != "assistant" && role != "system" && role != "developer")
        return wrong("input", fmt::format("has the role '{}', which is none", role.substr(0, 40)));
      TRY(std::string text, text_of(item, "content"));
      say(role == "developer" ? "system" : role, std::move(text));
      return Done{};
    }
    if (type == "function_call") return add_call(item);
    if (type == "function_call_output") {
      TRY(const std::string_view call, codec::json_text(item, "call_id"));
      TRY(std::string text, text_of(item, "output"));
      messages_.push_back(
          json::object{{"role", "tool"}, {"tool_call_id", call}, {"content", std::move(text)}});
      calling_ = false;
      return Done{};
    }
    if (type == "reasoning") return Done{};  // What was thought before is not shown to a model again.
    return unoffered("input", fmt::format("may not have items of the type '{}' here", type.substr(0, 40)));
  }

  json::array take() { return std::move(messages_); }

 private:
  Status add_call(const json::object& item) {
    TRY(const std::string_view id, codec::json_text(item, "call_id"));
    TRY(const std::string_view name, codec::json_text(item, "name"));
    TRY(const std::string_view arguments, codec::json_text(item, "arguments"));
    if (!calling_)
      messages_.push_back(
          json::object{{"role", "assistant"}, {"content", nullptr}, {"tool_calls", json::array()}});
    calling_ = true;
    messages_.back().get_object()["tool_calls"].get_array().push_back(
        json::object{{"id", id},
                     {"type", "function"},
                     {"function", json::object{{"name", name}, {"arguments", arguments}}}});
    return Done{};
  }

  json::array messages_;
  bool calling_ = false;
};

Result<json::array> read_messages(const json::object& body) {
  Messages messages;
  TRY(const auto instructions, codec::json_text_if(body, "instructions"));
  if (instructions) messages.say("system", std::string(*instructions));
  const json::value* input = body.if_contains("input");
  if (input == nullptr || input->is_null()) return wrong("input", "is missing");
  if (input->is_string()) {
    messages.say("user", std::string(input->get_string()));
    return messages.take();
  }
  if (!input->is_array() || input->get_array().empty() || input->get_array().size() > items_max)
    return wrong("input", fmt::format("is a text or a list of up to {} items", items_max));
  for (const json::value& item : input->get_array()) {
    if (!item.is_object()) return wrong("input", "has an item that is no object");
    TRY_DONE(messages.add(item.get_object()));
  }
  return messages.take();
}

Status read_tools(const json::object& body, ResponsesCall& call) {
  TRY(const json::array* tools, codec::json_array_if(body, "tools"));
  json::array chat, echoed;
  if (tools != nullptr)
    for (const json::value& tool : *tools) {
      if (!tool.is_object()) return wrong("tools", "are objects");
      json::object flat = tool.get_object();
      TRY(const std::string_view type, codec::json_text(flat, "type"));
      if (type != "function")
        return unoffered("tools",
                         fmt::format("of the type '{}' are not here: functions are", type.substr(0, 40)));
      TRY_DONE(codec::json_text(flat, "name"));
      for (const char* key : {"parameters", "strict"})
        if (!flat.contains(key)) flat[key] = nullptr;
      echoed.push_back(flat);
      json::object function;
      for (const char* key : {"name", "description", "parameters", "strict"})
        if (const json::value* value = flat.if_contains(key); value != nullptr && !value->is_null())
          function[key] = *value;
      chat.push_back(json::object{{"type", "function"}, {"function", std::move(function)}});
    }
  if (!chat.empty()) call.chat["tools"] = std::move(chat);
  call.echoed["tools"] = std::move(echoed);
  const json::value* choice = body.if_contains("tool_choice");
  call.echoed["tool_choice"] = choice == nullptr || choice->is_null() ? json::value("auto") : *choice;
  if (choice == nullptr || choice->is_null()) return Done{};
  if (choice->is_object() && choice->get_object().contains("name")) {
    TRY(const std::string_view name, codec::json_text(choice->get_object(), "name"));
    call.chat["tool_choice"] = json::object{{"type", "function"}, {"function", json::object{{"name", name}}}};
  } else if (call.chat.contains("tools") || *choice != json::value("auto")) {
    call.chat["tool_choice"] = *choice;
  }
  return Done{};
}

Status read_format(const json::object& body, ResponsesCall& call) {
  call.echoed["text"] = json::object{{"format", json::object{{"type", "text"}}}};
  TRY(const json::object* text, codec::json_object_if(body, "text"));
  if (text == nullptr) return Done{};
  TRY(const json::object* format, codec::json_object_if(*text, "format"));
  if (format == nullptr) return Done{};
  TRY(const std::string_view type, codec::json_text(*format, "type"));
  call.echoed["text"] = json::object{{"format", *format}};
  if (type != "json_schema") {
    call.chat["response_format"] = *format;
    return Done{};
  }
  if (!format->contains("schema")) return wrong("text.format", "has no 'schema'");
  json::object inner;
  for (const char* key : {"name", "description", "schema", "strict"})
    if (const json::value* value = format->if_contains(key); value != nullptr && !value->is_null())
      inner[key] = *value;
  call.chat["response_format"] = json::object{{"type", "json_schema"}, {"json_schema", std::move(inner)}};
  return Done{};
}

Status refuse_what_needs_storage(const json::object& body) {
  TRY(const auto previous, codec::json_text_if(body, "previous_response_id"));
  if (previous)
    return unoffered("previous_response_id",
                     "is not offered: responses are not stored here; send the whole input");
  for (const char* key : {"conversation", "prompt"})
    if (const json::value* value = body.if_contains(key); value != nullptr && !value->is_null())
      return unoffered(key, "is not offered: nothing of it is stored here");
  TRY(const auto background, codec::json_flag_if(body, "background"));
  if (background.value_or(false))
    return unoffered("background",
                     "is not offered: responses are not stored here; /v1/batches runs without you");
  return Done{};
}

Status read_reasoning(const json::object& body, ResponsesCall& call) {
  call.echoed["reasoning"] = json::object{{"effort", nullptr}, {"summary", nullptr}};
  TRY(const json::object* reasoning, codec::json_object_if(body, "reasoning"));
  if (reasoning == nullptr) return Done{};
  TRY(const auto effort, codec::json_text_if(*reasoning, "effort"));
  if (!effort) return Done{};
  call.chat["reasoning_effort"] = *effort;
  call.echoed["reasoning"].get_object()["effort"] = *effort;
  return Done{};
}

Status read_limits(const json::object& body, ResponsesCall& call) {
  TRY(const auto most, codec::json_integer_if(body, "max_output_tokens"));
  if (most && *most < 1) return wrong("max_output_tokens", "is 1 or more");
  if (most) call.chat["max_tokens"] = *most;
  call.echoed["max_output_tokens"] = most ? json::value(*most) : json::value(nullptr);
  TRY(const auto truncation, codec::json_text_if(body, "truncation"));
  if (truncation && *truncation != "disabled")
    return unoffered("truncation", "is 'disabled' here: what is too long is refused");
  TRY(const auto others, codec::json_integer_if(body, "top_logprobs"));
  if (others && (*others < 0 || *others > 20)) return wrong("top_logprobs", "is between 0 and 20");
  TRY(const json::array* included, codec::json_array_if(body, "include"));
  if (included != nullptr)
    for (const json::value& one : *included) {
      const std::string_view name = one.is_string() ? std::string_view(one.get_string()) : std::string_view();
      if (name == "message.output_text.logprobs")
        call.with_log_probabilities = true;
      else if (name != "reasoning.encrypted_content")  // Thoughts are told as they are.
        return unoffered("include", fmt::format("has nothing to say of '{}' here", name.substr(0, 60)));
    }
  call.with_log_probabilities |= others.value_or(0) > 0;
  if (call.with_log_probabilities) {
    call.chat["logprobs"] = true;
    call.chat["top_logprobs"] = others.value_or(0);
  }
  call.echoed["top_logprobs"] = others.value_or(0);
  return Done{};
}

// Say nothing of the text, or are read above.
constexpr std::string_view read_elsewhere[] = {"model",
                                               "input",
                                               "instructions",
                                               "stream",
                                               "stream_options",
                                               "store",
                                               "previous_response_id",
                                               "conversation",
                                               "prompt",
                                               "background",
                                               "max_output_tokens",
                                               "max_tool_calls",
                                               "tools",
                                               "tool_choice",
                                               "text",
                                               "reasoning",
                                               "truncation",
                                               "include",
                                               "metadata",
                                               "top_logprobs",
                                               "user",
                                               "safety_identifier",
                                               "service_tier",
                                               "prompt_cache_key",
                                               "prompt_cache_retention"};

}  // namespace

Result<ResponsesCall> read_responses_call(const json::object& body) {
  TRY_DONE(refuse_what_needs_storage(body));
  ResponsesCall call;
  TRY(call.chat["messages"], read_messages(body));
  TRY_DONE(read_tools(body, call));
  TRY_DONE(read_format(body, call));
  TRY_DONE(read_reasoning(body, call));
  TRY_DONE(read_limits(body, call));
  TRY(const auto streams, codec::json_flag_if(body, "stream"));
  call.streams = streams.value_or(false);
  TRY(const auto calls, codec::json_flag_if(body, "parallel_tool_calls"));
  call.echoed["parallel_tool_calls"] = calls.value_or(true);
  for (const char* key : {"temperature", "top_p"}) {
    TRY(const auto value, codec::json_number_if(body, key));
    if (value && !(*value >= 0 && *value <= 2))
      return fail(Reason::bad_request, fmt::format("'{}' is between 0 and 2", key));
    call.echoed[key] = value.value_or(1.0);
  }
  TRY(const bool tier, names_service_tier(body));
  if (tier) call.echoed["service_tier"] = service_tier;
  for (const char* key : {"instructions", "metadata", "user", "safety_identifier", "prompt_cache_key"})
    if (const json::value* value = body.if_contains(key); value != nullptr) call.echoed[key] = *value;
  if (!call.echoed.contains("instructions")) call.echoed["instructions"] = nullptr;
  if (const json::value* data = call.echoed.if_contains("metadata"); data == nullptr || data->is_null())
    call.echoed["metadata"] = json::object();
  // Sampling is the chat call's own, and so is what is wrong with it.
  for (const auto& [key, value] : body)
    if (std::find(std::begin(read_elsewhere), std::end(read_elsewhere), key) == std::end(read_elsewhere)) {
      if (key == "messages" || key == "max_tokens" || key == "response_format")
        return fail(Reason::bad_request,
                    fmt::format("'{}' is no key that is known here", std::string_view(key).substr(0, 60)));
      call.chat[key] = value;
    }
  return call;
}

Error in_responses_words(Error error) {
  static constexpr std::string_view words[][2] = {{"'messages'", "'input'"},
                                                  {"'max_tokens'", "'max_output_tokens'"},
                                                  {"'response_format'", "'text.format'"},
                                                  {"'reasoning_effort'", "'reasoning.effort'"}};
  for (const auto& [theirs, ours] : words)
    if (error.message.starts_with(theirs)) error.message.replace(0, theirs.size(), ours);
  return error;
}

}  // namespace holdfast::api
