#pragma once

#include <boost/json/fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "jinja/template.h"

namespace holdfast::jinja {

// What apply_chat_template of transformers is called with. Values are JSON as the caller has them.
struct ChatRequest {
  Value messages;   // A list of dicts.
  Value tools;      // A list of JSON schemas, or None.
  Value documents;  // A list of dicts, or None.
  bool add_generation_prompt = false;
  // End inside the last message, so that a model goes on with it: the prompt stops where that text ends.
  bool continue_final_message = false;
  // Special tokens (bos_token, …) and the caller's own arguments, later ones win.
  Template::Variables variables;
  WallTime now{};
};

// One object with messages, tools, documents, add_generation_prompt, continue_final_message, kwargs (an
// object), special_tokens (an object), now ("2025-03-14T09:26:53"); any other key is a variable of its own.
// The first keys may stand in an object `conversation`, or in one of `conversations` that `conversation`
// names. A list alone is the messages. A moment that is not given is `now`.
Result<ChatRequest> chat_request(const boost::json::value& json, WallTime now);

// The text of a conversation, as transformers renders it: reasoning under its older names is given the newer
// ones.
Result<std::string> render_chat(const Template& chat_template, const ChatRequest& request,
                                const RenderLimits& limits = {});

}  // namespace holdfast::jinja
