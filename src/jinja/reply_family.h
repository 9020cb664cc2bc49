#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace holdfast::jinja {

// How the models that a chat template was made for write calls of tools.
enum class ReplyFamily : uint8_t {
  plain,     // No way that is known here.
  hermes,    // <tool_call>{"name", "arguments"}</tool_call>: Hermes, Qwen.
  llama,     // {"name", "parameters"} as the whole reply, or after <|python_tag|>.
  mistral,   // [TOOL_CALLS][{"name", "arguments"}], or [TOOL_CALLS]name[ARGS]{…}.
  deepseek,  // <｜tool▁call▁begin｜>… between its own marks.
  harmony,   // <|channel|>…<|message|>…: gpt-oss.
};

// By the marks that the template itself writes.
ReplyFamily reply_family(std::string_view chat_template);
// Whether it shows the model its tools at all.
bool shows_tools(std::string_view chat_template);
// Whether its models may think aloud between <think> and </think> first.
bool thinks_aloud(std::string_view chat_template);

// Special tokens that mean something to a reader of replies, by their text; others are never shown to it.
std::span<const std::string_view> reply_marks(ReplyFamily family);

}  // namespace holdfast::jinja
