#include "jinja/chat.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "jinja/characters.h"

namespace holdfast::jinja {
namespace {

constexpr std::array<std::string_view, 3> reasoning_names = {"reasoning_content", "thinking", "reasoning"};
constexpr std::string_view continue_mark = "CONTINUE_FINAL_MESSAGE_TAG ";

void set_variable(Template::Variables& variables, std::string_view name, Value value) {
  for (auto& [known, old] : variables)
    if (known == name) {
      old = std::move(value);
      return;
    }
  variables.emplace_back(std::string(name), std::move(value));
}

Status add_variables(Template::Variables& variables, const boost::json::value& json, std::string_view key) {
  if (json.is_null()) return Done{};
  if (!json.is_object()) return fail(Reason::bad_request, "'" + std::string(key) + "' has to be an object");
  for (const auto& [name, one] : json.get_object()) {
    TRY(Value value, from_json(one));
    set_variable(variables, name, std::move(value));
  }
  return Done{};
}

// A moment with or without a zone; without one its fields stand as they are.
Result<WallTime> moment(const boost::json::value& json) {
  if (!json.is_string())
    return fail(Reason::bad_request, "'now' has to be a time such as 2025-03-14T09:26:53");
  std::string text(json.get_string());
  if (text.size() == 10) text += "T00:00:00";
  if (!text.ends_with('Z')) text += 'Z';
  return parse_time(text);
}

Result<bool> flag(const boost::json::value& json, std::string_view key) {
  if (json.is_null()) return false;
  if (!json.is_bool()) return fail(Reason::bad_request, "'" + std::string(key) + "' has to be true or false");
  return json.get_bool();
}

// The message with its reasoning under every name that templates read, as transformers does.
Result<Value> with_reasoning(const Value& message) {
  if (!message.is(Kind::dict)) return message;
  const DictObject& dict = message.as_dict();
  const Value* reasoning = nullptr;
  for (const std::string_view name : reasoning_names) {
    const Value* found = dict.find(name);
    if (reasoning == nullptr && found != nullptr && !found->is(Kind::none)) reasoning = found;
  }
  if (reasoning == nullptr) return message;
  std::vector<std::pair<Value, Value>> pairs = {{Value::text("thinking"), *reasoning}};
  pairs.insert(pairs.end(), dict.pairs.begin(), dict.pairs.end());
  pairs.emplace_back(Value::text("reasoning_content"), *reasoning);
  return Value::dict(std::move(pairs));
}

Result<Value> with_key(const Value& dict, std::string_view key, Value value) {
  auto pairs = dict.as_dict().pairs;
  pairs.emplace_back(Value::text(std::string(key)), std::move(value));
  return Value::dict(std::move(pairs));
}

// A message whose text, or last text part, ends with the mark; that text in `final_text`.
Result<Value> marked(const Value& message, std::string& final_text) {
  const Value* content = message.is(Kind::dict) ? message.as_dict().find("content") : nullptr;
  const auto none = [] {
    return fail(Reason::bad_request,
                "continue_final_message is set but the final message has no text to continue");
  };
  if (content == nullptr) return none();
  if (content->is(Kind::text)) {
    final_text = content->string();
    return with_key(message, "content", Value::text(final_text + std::string(continue_mark)));
  }
  if (!content->is(Kind::list)) return none();
  Items parts = content->items();
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const Value* text = part->is(Kind::dict) ? part->as_dict().find("text") : nullptr;
    if (text == nullptr || !text->is(Kind::text)) continue;
    final_text = text->string();
    TRY(*part, with_key(*part, "text", Value::text(final_text + std::string(continue_mark))));
    TRY(Value list, Value::list(std::move(parts)));
    return with_key(message, "content", std::move(list));
  }
  return none();
}

// The rendered text up to the mark; white space after the text goes where the template had trimmed it.
Result<std::string> cut_at_mark(const std::string& text, const std::string& final_text) {
  const std::string_view tag = stripped(continue_mark, Ends::both);
  const size_t at = text.rfind(tag);
  if (at == std::string::npos || text.find(stripped(final_text, Ends::both)) == std::string::npos)
    return fail(
        Reason::bad_request,
        "continue_final_message is set but the final message does not appear in the chat after applying the "
        "chat template");
  const std::string_view before = std::string_view(text).substr(0, at);
  if (text.compare(at, continue_mark.size(), continue_mark) == 0) return std::string(before);
  return std::string(stripped(before, Ends::right));
}

// What one object says, on top of what `out` has already.
Status read_request(const boost::json::object& object, ChatRequest& out) {
  for (const auto& [name, one] : object) {
    if (name == "messages") {
      TRY(out.messages, from_json(one));
    } else if (name == "tools") {
      TRY(out.tools, from_json(one));
    } else if (name == "documents") {
      TRY(out.documents, from_json(one));
    } else if (name == "now") {
      TRY(out.now, moment(one));
    } else if (name == "add_generation_prompt") {
      TRY(out.add_generation_prompt, flag(one, name));
    } else if (name == "continue_final_message") {
      TRY(out.continue_final_message, flag(one, name));
    } else if (name != "kwargs" && name != "special_tokens" && name != "conversation" &&
               name != "conversations") {
      TRY(Value value, from_json(one));
      set_variable(out.variables, name, std::move(value));
    }
  }
  for (const char* key : {"special_tokens", "kwargs"})
    if (const boost::json::value* more = object.if_contains(key))
      TRY_DONE(add_variables(out.variables, *more, key));
  return Done{};
}

// The conversation an object holds under `conversation`, or names there and holds under `conversations`.
Result<const boost::json::object*> inner_conversation(const boost::json::object& object) {
  const boost::json::value* inner = object.if_contains("conversation");
  if (inner != nullptr && inner->is_string()) {
    TRY(const boost::json::object* all, codec::json_object(object, "conversations"));
    const std::string_view name = inner->get_string();
    inner = all->if_contains(name);
    if (inner == nullptr)
      return fail(Reason::bad_request, "there is no conversation '" + std::string(name) + "'");
  }
  if (inner != nullptr && !inner->is_object())
    return fail(Reason::bad_request, "'conversation' has to be an object or the name of one");
  return inner == nullptr ? nullptr : &inner->get_object();
}

}  // namespace

Result<ChatRequest> chat_request(const boost::json::value& json, WallTime now) {
  ChatRequest out;
  out.now = now;
  if (json.is_array()) {
    TRY(out.messages, from_json(json));
    return out;
  }
  if (!json.is_object())
    return fail(Reason::bad_request, "a conversation is an object with 'messages', or their list");
  TRY(const boost::json::object* inner, inner_conversation(json.get_object()));
  TRY_DONE(read_request(json.get_object(), out));
  if (inner != nullptr) TRY_DONE(read_request(*inner, out));
  if (!out.messages.is(Kind::list)) return fail(Reason::bad_request, "'messages' has to be a list");
  return out;
}

Result<std::string> render_chat(const Template& chat_template, const ChatRequest& request,
                                const RenderLimits& limits) {
  Items messages;
  for (const Value& message : request.messages.items()) {
    TRY(Value one, with_reasoning(message));
    messages.push_back(std::move(one));
  }
  std::string final_text;
  if (request.continue_final_message) {
    if (messages.empty())
      return fail(Reason::bad_request, "continue_final_message is set but the conversation is empty");
    TRY(messages.back(), marked(messages.back(), final_text));
  }
  TRY(Value list, Value::list(std::move(messages)));
  Template::Variables variables = {{"messages", std::move(list)},
                                   {"tools", request.tools},
                                   {"documents", request.documents},
                                   {"add_generation_prompt", Value::boolean(request.add_generation_prompt)}};
  for (const auto& [name, value] : request.variables) set_variable(variables, name, value);
  TRY(std::string text, chat_template.render(variables, request.now, limits));
  if (request.continue_final_message) return cut_at_mark(text, final_text);
  return text;
}

}  // namespace holdfast::jinja
