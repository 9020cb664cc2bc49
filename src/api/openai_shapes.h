#pragma once

#include <boost/json/fwd.hpp>
#include <memory>
#include <string>

#include "api/writing.h"

namespace holdfast::api {

// A completion call as far as its answer's shape goes (reference: serving, 1.1).
struct CompletionShape {
  enum class Style : uint8_t { chat, text };
  Style style = Style::chat;
  std::string model, id, fingerprint;
  int64_t created = 0;
  size_t choices = 1, choices_a_prompt = 1;
  bool streams = false, with_usage = false;
  bool with_log_probabilities = false;
  bool with_tier = false;  // The request named a tier of service.
};

// A token of a chat: {"token", "logprob", "bytes", "top_logprobs"}.
boost::json::object chat_token_score(const serve::WrittenToken& token);

// What the openai clients read, streamed or whole.
std::unique_ptr<AnswerForm> make_openai_form(CompletionShape shape);

}  // namespace holdfast::api
