#include "jinja/reply_family.h"

#include <array>

namespace holdfast::jinja {
namespace {

constexpr std::array<std::string_view, 2> think_marks = {"<think>", "</think>"};
constexpr std::array<std::string_view, 4> hermes_marks = {"<think>", "</think>", "<tool_call>",
                                                          "</tool_call>"};
constexpr std::array<std::string_view, 1> llama_marks = {"<|python_tag|>"};
constexpr std::array<std::string_view, 5> mistral_marks = {"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "<think>",
                                                           "</think>"};
constexpr std::array<std::string_view, 7> deepseek_marks = {"<think>",
                                                            "</think>",
                                                            "<｜tool▁calls▁begin｜>",
                                                            "<｜tool▁call▁begin｜>",
                                                            "<｜tool▁sep｜>",
                                                            "<｜tool▁call▁end｜>",
                                                            "<｜tool▁calls▁end｜>"};
constexpr std::array<std::string_view, 6> harmony_marks = {"<|start|>",     "<|channel|>", "<|message|>",
                                                           "<|constrain|>", "<|end|>",     "<|call|>"};

bool has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

}  // namespace

ReplyFamily reply_family(std::string_view chat_template) {
  if (has(chat_template, "<|channel|>") && has(chat_template, "<|message|>")) return ReplyFamily::harmony;
  if (has(chat_template, "<｜tool▁calls▁begin｜>")) return ReplyFamily::deepseek;
  if (has(chat_template, "[TOOL_CALLS]")) return ReplyFamily::mistral;
  // Others write keys and values between tags of their own there.
  if (has(chat_template, "<tool_call>") && !has(chat_template, "<arg_key>") &&
      !has(chat_template, "<function="))
    return ReplyFamily::hermes;
  if (has(chat_template, "<|start_header_id|>") && has(chat_template, "ipython")) return ReplyFamily::llama;
  return ReplyFamily::plain;
}

bool shows_tools(std::string_view chat_template) { return has(chat_template, "tools"); }

bool thinks_aloud(std::string_view chat_template) {
  return has(chat_template, "<think>") || has(chat_template, "</think>");
}

std::span<const std::string_view> reply_marks(ReplyFamily family) {
  switch (family) {
    case ReplyFamily::plain:
      return think_marks;
    case ReplyFamily::hermes:
      return hermes_marks;
    case ReplyFamily::llama:
      return llama_marks;
    case ReplyFamily::mistral:
      return mistral_marks;
    case ReplyFamily::deepseek:
      return deepseek_marks;
    case ReplyFamily::harmony:
      return harmony_marks;
  }
  return {};
}

}  // namespace holdfast::jinja
