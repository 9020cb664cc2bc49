#include "cli/conversation.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "jinja/chat.h"
#include "jinja/reply_family.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

Error wrong(std::string_view key, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("'{}' {}", key, what));
}

// Text of a message: a string, or parts of which all are text.
Result<std::string> content_of(const json::value& content) {
  if (content.is_string()) return std::string(content.get_string());
  if (!content.is_array()) return wrong("content", "is a text or a list of parts");
  std::string out;
  for (const json::value& part : content.get_array()) {
    if (!part.is_object()) return wrong("content", "has a part that is no object");
    TRY(const std::string_view type, codec::json_text(part.get_object(), "type"));
    if (type != "text" && type != "input_text")
      return fail(Reason::not_offered,
                  fmt::format("'messages' hold '{}': the model reads text", type.substr(0, 40)));
    TRY(const std::string_view text, codec::json_text(part.get_object(), "text"));
    out += text;
  }
  return out;
}

// As templates want them: arguments as an object, not as its text.
Result<json::array> calls_of(const json::array& calls) {
  json::array out;
  for (const json::value& one : calls) {
    if (!one.is_object()) return wrong("tool_calls", "is a list of objects");
    json::object call = one.get_object();
    TRY(const json::object* given, codec::json_object(call, "function"));
    json::object function = *given;
    TRY([[maybe_unused]] const std::string_view name, codec::json_text(function, "name"));
    if (json::value* arguments = function.if_contains("arguments");
        arguments != nullptr && arguments->is_string())
      if (auto parsed = codec::parse_json_object(arguments->get_string()); parsed.ok())
        *arguments = std::move(parsed).value();
    call["function"] = std::move(function);
    out.push_back(std::move(call));
  }
  return out;
}

Result<json::object> read_message(const json::value& each) {
  if (!each.is_object()) return wrong("messages", "is a list of objects");
  const json::object& message = each.get_object();
  TRY(std::string_view role, codec::json_text(message, "role"));
  if (role == "developer") role = "system";
  if (role != "system" && role != "user" && role != "assistant" && role != "tool")
    return wrong("role", "is system, developer, user, assistant or tool");
  json::object out{{"role", role}, {"content", ""}};
  TRY(const json::array* calls, codec::json_array_if(message, "tool_calls"));
  const json::value* content = message.if_contains("content");
  if (content != nullptr && !content->is_null()) {
    TRY(out["content"], content_of(*content));
  } else if (calls != nullptr && !calls->empty()) {
    out["content"] = nullptr;
  } else if (role != "assistant") {
    return wrong("content", "is missing");
  }
  if (calls != nullptr && !calls->empty()) {
    if (role != "assistant") return wrong("tool_calls", "are an assistant's");
    TRY(out["tool_calls"], calls_of(*calls));
  }
  for (const char* key : {"name", "tool_call_id", "reasoning_content"}) {
    TRY(const auto text, codec::json_text_if(message, key));
    if (text) out[key] = *text;
  }
  return out;
}

}  // namespace

Result<std::string> render_conversation(const json::object& body, const ToolChoice& tools,
                                        const model::TextGenerator& generator, WallTime now) {
  TRY(const json::array* messages, codec::json_array(body, "messages"));
  if (messages->empty()) return wrong("messages", "is empty");
  const std::string& form = generator.chat_template();
  if (form.empty())
    return fail(Reason::model_unsupported,
                "the model has no chat template: use /v1/completions with a 'prompt'");
  json::array plain;
  for (const json::value& each : *messages) {
    TRY(json::object message, read_message(each));
    plain.push_back(std::move(message));
  }
  json::object call{{"messages", std::move(plain)}, {"add_generation_prompt", true}};
  json::object more;
  TRY(const json::object* given, codec::json_object_if(body, "chat_template_kwargs"));
  if (given != nullptr) more = *given;
  TRY(const auto effort, codec::json_text_if(body, "reasoning_effort"));
  if (effort && form.find("reasoning_effort") == std::string::npos)
    return fail(Reason::not_offered, "'reasoning_effort' is nothing that the model's template knows");
  if (effort) more["reasoning_effort"] = *effort;
  call["kwargs"] = std::move(more);
  if (tools.mode != ToolChoice::Mode::none) {
    if (!jinja::shows_tools(form))
      return fail(Reason::not_offered, "'tools' are nothing that the model's template knows");
    call["tools"] = body.at("tools");
  }
  TRY(const json::array* documents, codec::json_array_if(body, "documents"));
  if (documents != nullptr) call["documents"] = *documents;
  return write_prompt(std::move(call), generator, now);
}

Result<std::string> write_prompt(json::object call, const model::TextGenerator& generator, WallTime now) {
  call["special_tokens"] = generator.special_tokens();
  TRY(const jinja::Template chat_template, jinja::Template::parse(generator.chat_template()));
  TRY(const jinja::ChatRequest request, jinja::chat_request(call, now));
  return jinja::render_chat(chat_template, request);
}

}  // namespace holdfast::cli
